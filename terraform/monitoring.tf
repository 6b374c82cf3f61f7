module "monitoring" {
  source = "./modules/monitoring"

  project   = var.project
  name      = var.name
  labels    = var.labels
  functions = keys(local.functions)
  syncs     = [for name, f in local.functions : name if f.caller == "invoker"]
  queues    = { for name in local.queues : name => module.queue[name].name }
  database  = google_firestore_database.this.name
  alerts    = var.alerts
  budget    = var.budget
  telemetry = var.telemetry
  # A check has no account, so that it cannot call functions that are not public.
  health_url = var.public ? "${local.public_url}/settings/healthz" : null

  depends_on = [google_project_service.this]
}
