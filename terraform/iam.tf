# Permissions. README.md, "Roles", gives the reasons. Each function has its own account, one account calls the sync functions
# and one builds. None has a role on the whole project if a narrower one is possible.

resource "google_service_account" "function" {
  for_each = local.functions

  project      = var.project
  account_id   = "${var.name}-${each.key}"
  display_name = "Tandem: runs ${each.key}"

  depends_on = [google_project_service.this]
}

resource "google_service_account" "invoker" {
  project      = var.project
  account_id   = "${var.name}-invoker"
  display_name = "Tandem: Cloud Scheduler and Cloud Tasks call with it"

  depends_on = [google_project_service.this]
}

resource "google_service_account" "builder" {
  project      = var.project
  account_id   = "${var.name}-builder"
  display_name = "Tandem: builds the functions"

  depends_on = [google_project_service.this]
}

# A role of a new account takes up to a minute to be effective everywhere. A function that is built before fails.
resource "terraform_data" "settled" {
  triggers_replace = concat([google_service_account.builder.unique_id], values(google_service_account.function)[*].unique_id)

  provisioner "local-exec" {
    command = "sleep ${var.settle_seconds}"
  }

  depends_on = [
    google_artifact_registry_repository_iam_member.builder,
    google_cloud_tasks_queue_iam_member.enqueue,
    google_kms_crypto_key_iam_member.seal,
    google_project_iam_member.build,
    google_project_iam_member.schedule,
    google_project_iam_member.store,
    google_project_iam_member.telemetry,
    google_secret_manager_secret_iam_member.read,
    google_service_account_iam_member.act_as_invoker,
    google_storage_bucket_iam_member.builder,
  ]
}

# Documents, in this database only (https://cloud.google.com/firestore/native/docs/conditional-access).
resource "google_project_iam_member" "store" {
  for_each = local.functions

  project = var.project
  role    = "roles/datastore.user"
  member  = google_service_account.function[each.key].member

  condition {
    title      = "${var.name}-database"
    expression = "resource.name == \"projects/${var.project}/databases/${google_firestore_database.this.name}\""
  }
}

resource "google_kms_crypto_key_iam_member" "seal" {
  for_each = { for name, f in local.functions : name => f if f.accounts }

  crypto_key_id = google_kms_crypto_key.tokens.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = google_service_account.function[each.key].member
}

resource "google_secret_manager_secret_iam_member" "read" {
  for_each = {
    for pair in flatten([for secret, functions in local.readers : [for function in functions : { function = function, secret = secret }]]) : "${pair.function}/${pair.secret}" => pair
  }

  project   = var.project
  secret_id = module.secret[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member
}

resource "google_cloud_tasks_queue_iam_member" "enqueue" {
  for_each = { for name, f in local.functions : name => f if f.queue != "" }

  project  = var.project
  location = var.region
  name     = module.queue[each.value.queue].name
  role     = "roles/cloudtasks.enqueuer"
  member   = google_service_account.function[each.key].member
}

# An account that creates a task or changes a job with the invoker's token has to be allowed to act as the invoker.
resource "google_service_account_iam_member" "act_as_invoker" {
  for_each = { for name, f in local.functions : name => f if f.queue != "" || f.schedules }

  service_account_id = google_service_account.invoker.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.function[each.key].member
}

# Cloud Scheduler has no roles for a single job, and its predefined roles may create and delete jobs: this one may not.
resource "google_project_iam_custom_role" "scheduler" {
  project = var.project
  role_id = "${replace(var.name, "-", "_")}_scheduler"
  title   = "Tandem: sets, pauses, resumes and runs jobs"
  permissions = [
    "cloudscheduler.jobs.enable",
    "cloudscheduler.jobs.get",
    "cloudscheduler.jobs.pause",
    "cloudscheduler.jobs.run",
    "cloudscheduler.jobs.update",
  ]

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "schedule" {
  for_each = { for name, f in local.functions : name => f if f.schedules }

  project = var.project
  role    = google_project_iam_custom_role.scheduler.id
  member  = google_service_account.function[each.key].member
}

# Traces and metrics, by the roles that the Telemetry API requires
# (https://cloud.google.com/stackdriver/docs/otlp/overview): to write each of the two, and to use this project's quota. They
# can be granted on the whole project only.
resource "google_project_iam_member" "telemetry" {
  for_each = {
    for pair in setproduct(
      var.telemetry ? keys(local.functions) : [],
      ["roles/serviceusage.serviceUsageConsumer", "roles/telemetry.metricsWriter", "roles/telemetry.tracesWriter"],
    ) : join("/", pair) => { function = pair[0], role = pair[1] }
  }

  project = var.project
  role    = each.value.role
  member  = google_service_account.function[each.value.function].member

  depends_on = [google_project_service.this]
}

# Building: read the zip and the copy that the service makes of it, write the image and the log
# (https://cloud.google.com/build/docs/cloud-build-service-account).
resource "google_project_iam_member" "build" {
  for_each = {
    log     = { role = "roles/logging.logWriter", condition = null }
    sources = { role = "roles/storage.objectAdmin", condition = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-\")" }
  }

  project = var.project
  role    = each.value.role
  member  = google_service_account.builder.member

  dynamic "condition" {
    for_each = each.value.condition == null ? [] : [each.value.condition]
    content {
      title      = "${var.name}-build-copies"
      expression = condition.value
    }
  }
}

resource "google_storage_bucket_iam_member" "builder" {
  bucket = google_storage_bucket.sources.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.builder.member
}

resource "google_artifact_registry_repository_iam_member" "builder" {
  project    = var.project
  location   = var.region
  repository = google_artifact_registry_repository.functions.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder.member
}

# The audit log records who opened a token or read a secret, and when.
resource "google_project_iam_audit_config" "this" {
  for_each = var.audit_logs ? toset(["cloudkms.googleapis.com", "secretmanager.googleapis.com"]) : toset([])

  project = var.project
  service = each.value

  dynamic "audit_log_config" {
    for_each = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]
    content {
      log_type = audit_log_config.value
    }
  }
}
