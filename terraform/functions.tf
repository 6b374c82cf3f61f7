# Every function is one line here; a test compares the lines with the folders under functions/.
#
#   package      its folder under functions/
#   entry_point  the name it registers with the functions framework
#   caller       "invoker": only Cloud Scheduler and Cloud Tasks may call it, and it gets a job of the same name;
#                "anyone": it is public and authenticates its callers itself
#   queue        the queue to which it adds tasks, which is created for it; "" for a function that adds none
#   schedules    whether it sets the jobs of Cloud Scheduler
#   accounts     whether it opens users' accounts, and therefore may use the key and read the secrets
locals {
  table = {
    calendar-push   = { package = "calendarpush", entry_point = "CalendarPush", caller = "anyone", queue = "activities", schedules = false, accounts = false }
    oauth-callback  = { package = "oauthcallback", entry_point = "OAuthCallback", caller = "anyone", queue = "requests", schedules = true, accounts = true }
    settings        = { package = "settings", entry_point = "Settings", caller = "anyone", queue = "requests", schedules = true, accounts = true }
    sync-activities = { package = "syncactivities", entry_point = "SyncActivities", caller = "invoker", queue = "activities", schedules = true, accounts = true }
    sync-contacts   = { package = "synccontacts", entry_point = "SyncContacts", caller = "invoker", queue = "contacts", schedules = true, accounts = true }
  }
  functions = { for name, f in local.table : name => f if var.calendar_push || name != "calendar-push" }

  # A run mostly waits for replies, so an instance runs several at once. The timeout is within the dispatch deadline of
  # Cloud Tasks and of Cloud Scheduler, 30 minutes at most.
  sizes = {
    anyone  = { memory = "512Mi", cpu = "1", concurrency = 20, timeout_seconds = 300, min_instances = 0, max_instances = 10 }
    invoker = { memory = "1Gi", cpu = "1", concurrency = 4, timeout_seconds = 900, min_instances = 0, max_instances = 20 }
  }
  size = {
    for name, f in local.functions : name => {
      for key, value in local.sizes[f.caller] : key => try(coalesce(var.functions[name][key]), value)
    }
  }

  # Memory is given as "512Mi" or "1Gi" (or in the older form "512M" or "1G"); the difference does not matter here.
  mebibytes = {
    for name, s in local.size : name => tonumber(regex("^[0-9.]+", s.memory)) * (strcontains(s.memory, "G") ? 1024 : 1)
  }

  host       = "https://${var.region}-${var.project}.cloudfunctions.net"
  public_url = var.domain == null ? local.host : "https://${var.domain}"
}

# The variables of shared/config. Not set: GOOGLE_ENDPOINT, which is for tests, and PORT, which the platform sets.
locals {
  environment = {
    for name, f in local.functions : name => { for key, value in {
      PUBLIC_URL           = local.public_url
      STORE                = "firestore:${var.project}/${google_firestore_database.this.name}"
      ENCRYPTION_KEY       = f.accounts ? "gcp-kms://${google_kms_crypto_key.tokens.id}" : ""
      GOOGLE_CLIENT_ID     = f.accounts ? var.google_client_id : ""
      CREATIO_URL          = f.accounts ? var.creatio_url : ""
      CREATIO_AUTH         = f.accounts ? var.creatio_auth : ""
      CREATIO_IDENTITY_URL = f.accounts ? var.creatio_identity_url : ""
      CREATIO_CLIENT_ID    = f.accounts ? var.creatio_client_id : ""
      ALLOWED_DOMAINS      = f.accounts ? join(",", var.allowed_domains) : ""
      ADMIN_EMAILS         = f.accounts ? join(",", var.admin_emails) : ""
      PRIVACY_URL          = f.accounts ? var.privacy_url : ""
      CALENDAR_PUSH        = var.calendar_push ? "" : "off"
      HISTORY_DAYS         = f.accounts ? tostring(var.history_days) : ""
      UNLINKED_DAYS        = f.accounts ? tostring(var.unlinked_days) : ""
      QUEUE                = f.queue == "" ? "inline" : module.queue[f.queue].id
      SCHEDULER            = f.schedules ? "projects/${var.project}/locations/${var.region}" : ""
      TELEMETRY            = var.telemetry ? "projects/${var.project}/locations/${var.region}" : ""
      INVOKER              = google_service_account.invoker.email
      # Only if no other caller is allowed: then Cloud Run verifies every token, and passes it on without its signature. A
      # public function with this setting would accept forged tokens.
      INVOKER_VERIFIED_BY = f.caller == "invoker" ? "platform" : ""
      # Cloud Run accepts only tokens for its own address of the function, whatever the public address is. A public
      # function adds tasks for several functions.
      INVOKER_AUDIENCE = var.domain == null ? "" : "${local.host}/${f.caller == "invoker" ? name : "{function}"}"

      GOOGLE_CLOUD_PROJECT = var.project
      LOG_EXECUTION_ID     = "true"
      # The functions framework sets a deadline on a request only with this variable; a run saves its progress and stops
      # before the deadline.
      CLOUD_RUN_TIMEOUT_SECONDS = tostring(local.size[name].timeout_seconds)
      # The Go runtime collects garbage more often near this limit; without it, it does not know the limit of the instance.
      GOMEMLIMIT = "${floor(local.mebibytes[name] * 4 / 5)}MiB"
    } : key => value if try(length(value), 0) > 0 }
  }
}

locals {
  repo_root = "${path.module}/.."
  bundles   = "${path.module}/.build/bundles"
  # As scripts/bundle computes it.
  sources = sha256(join("", [
    for path in sort(setunion(["go.mod", "go.sum"], fileset(local.repo_root, "functions/**"), fileset(local.repo_root, "shared/**"))) :
    "${filesha256("${local.repo_root}/${path}")}  ${path}\n"
  ]))
}

# The sources are in a folder and not in arguments, which a state would contain.
data "archive_file" "bundle" {
  for_each = local.functions

  type             = "zip"
  source_dir       = "${local.bundles}/${each.key}"
  output_path      = "${path.root}/.build/${each.key}.zip"
  output_file_mode = "0644"

  lifecycle {
    precondition {
      condition     = try(trimspace(file("${local.bundles}/sources")), "") == local.sources
      error_message = "The sources have changed since they were laid out, or never were: run ./scripts/bundle, or ./scripts/deploy, which does."
    }
  }
}

resource "google_storage_bucket" "sources" {
  project                     = var.project
  name                        = "${var.project}-${var.name}-sources"
  location                    = var.region
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # Zips can be made again at any time.

  depends_on = [google_project_service.this]
}

# The name contains the hash of the content, so that a function is deployed again if and only if its code changed.
resource "google_storage_bucket_object" "bundle" {
  for_each = local.functions

  bucket = google_storage_bucket.sources.name
  name   = "${each.key}-${data.archive_file.bundle[each.key].output_sha256}.zip"
  source = data.archive_file.bundle[each.key].output_path
}

resource "google_artifact_registry_repository" "functions" {
  project       = var.project
  location      = var.region
  repository_id = "${var.name}-functions"
  format        = "DOCKER"
  labels        = var.labels

  cleanup_policies {
    id     = "keep-latest"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.this]
}

module "function" {
  source   = "./modules/function"
  for_each = local.functions

  project         = var.project
  region          = var.region
  name            = each.key
  labels          = var.labels
  entry_point     = each.value.entry_point
  runtime         = "go126"
  bucket          = google_storage_bucket.sources.name
  object          = google_storage_bucket_object.bundle[each.key].name
  builder         = google_service_account.builder.id
  repository      = google_artifact_registry_repository.functions.id
  service_account = google_service_account.function[each.key].email
  size            = local.size[each.key]
  environment     = local.environment[each.key]
  secrets = {
    for name, s in module.secret : local.secrets[name].variable => { secret = s.secret_id, version = s.version } if contains(local.readers[name], each.key)
  }
  egress = var.egress
  # With a load balancer, calls that bypass its rules are refused. Scheduler and Tasks do not use it.
  ingress = var.domain != null && each.value.caller == "anyone" ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_ALL"
  callers = each.value.caller == "invoker" ? [google_service_account.invoker.member] : var.public ? ["allUsers"] : []

  # A query without its index fails, and Firestore needs minutes to create one.
  depends_on = [
    google_firestore_field.expiring,
    google_firestore_field.unindexed,
    google_firestore_index.this,
    terraform_data.settled,
  ]
}
