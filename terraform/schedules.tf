# One job for each function that Cloud Scheduler calls. How often it runs, and whether it rests, the program sets as the
# users' settings say; a job begins with every minute, the shortest interval, so that nothing is missed until then.

module "schedule" {
  source   = "./modules/schedule"
  for_each = { for name, f in local.functions : name => f if f.caller == "invoker" }

  project = var.project
  region  = var.region
  name    = each.key # Without a prefix: the program looks for this name.
  url     = "${local.host}/${each.key}"
  invoker = google_service_account.invoker.email
  # Scheduler waits as long as the function may take, within its own limits.
  deadline_seconds = max(15, min(1800, local.size[each.key].timeout_seconds))

  # A call before the function is there would fail.
  depends_on = [module.function]
}
