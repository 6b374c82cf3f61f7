# An own domain with a load balancer and rate limits; only with var.domain.

module "edge" {
  source = "./modules/edge"
  count  = var.domain == null ? 0 : 1

  project   = var.project
  region    = var.region
  name      = var.name
  labels    = var.labels
  domain    = var.domain
  functions = [for name, f in local.functions : name if f.caller == "anyone"]
  # Google calls it from few addresses for all users.
  unlimited   = [for name in keys(local.functions) : name if name == "calendar-push"]
  rate_limits = var.rate_limits
  tls_policy  = var.tls_policy

  depends_on = [module.function]
}
