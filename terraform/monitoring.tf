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

  depends_on = [google_project_service.this]
}
