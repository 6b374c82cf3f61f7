# One job for each function that Cloud Scheduler calls. The program sets its schedule, and pauses and resumes it, by the
# users' settings. Until then it runs every minute, the shortest interval, so that no user waits.

module "schedule" {
  source   = "./modules/schedule"
  for_each = { for name, f in local.functions : name => f if f.caller == "invoker" }

  project = var.project
  region  = var.region
  name    = each.key # Without a prefix: the program looks for this name.
  url     = "${local.host}/${each.key}"
  invoker = google_service_account.invoker.email
  # Scheduler waits for the function's timeout, within its own limits.
  deadline_seconds = max(15, min(1800, local.size[each.key].timeout_seconds))

  # A call before the function exists would fail.
  depends_on = [module.function]
}
