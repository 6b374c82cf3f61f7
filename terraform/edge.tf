# A domain of one's own, behind a load balancer and rate rules; nothing of it without var.domain.

module "edge" {
  source = "./modules/edge"
  count  = var.domain == null ? 0 : 1

  project     = var.project
  region      = var.region
  name        = var.name
  labels      = var.labels
  domain      = var.domain
  functions   = [for name, f in local.functions : name if f.caller == "anyone"]
  rate_limits = var.rate_limits

  depends_on = [module.function]
}
