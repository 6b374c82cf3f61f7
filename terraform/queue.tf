# A queue for each name in the table of functions: one for each sync type, so that neither delays the other, and one for
# runs that users start, which must not wait behind a tick with thousands of users.

locals {
  queues = toset([for f in local.functions : f.queue if f.queue != ""])
  rate   = { per_second = 10, concurrent = 60, attempts = 8, min_backoff = 10, max_backoff = 600 }
  rates = {
    for name in local.queues : name => {
      per_second  = try(coalesce(var.queues[name].per_second), local.rate.per_second)
      concurrent  = try(coalesce(var.queues[name].concurrent), local.rate.concurrent)
      attempts    = try(coalesce(var.queues[name].attempts), local.rate.attempts)
      min_backoff = try(coalesce(var.queues[name].min_backoff_seconds), local.rate.min_backoff)
      max_backoff = try(coalesce(var.queues[name].max_backoff_seconds), local.rate.max_backoff)
    }
  }
}

module "queue" {
  source   = "./modules/queue"
  for_each = local.queues

  project = var.project
  region  = var.region
  name    = "${var.name}-${each.value}-${random_id.suffix.hex}"
  rate    = local.rates[each.value]
  # Tasks name the public address. With an own domain that is the load balancer, which does not route to the sync functions,
  # so the queue overrides the host. It says for whom the token is, too, unless its tasks are for several functions: then
  # only the task knows.
  host = var.domain == null ? null : "${var.region}-${var.project}.cloudfunctions.net"
  token = one([
    for name, f in local.functions : { account = google_service_account.invoker.email, audience = "${local.host}/${name}" }
    if f.caller == "invoker" && f.queue == each.value
  ])

  depends_on = [google_project_service.this]
}
