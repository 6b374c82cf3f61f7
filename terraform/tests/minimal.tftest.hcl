# The resources of a deployment with the least settings, with mock providers.

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      name      = "projects/acme-tandem/serviceAccounts/tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      id        = "projects/acme-tandem/serviceAccounts/tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      email     = "tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      member    = "serviceAccount:tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      unique_id = "100000000000000000001"
    }
  }
  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }
}

mock_provider "random" {
  mock_resource "random_id" {
    defaults = {
      hex = "0a1b2c"
    }
  }
}

mock_provider "archive" {
  mock_data "archive_file" {
    defaults = {
      output_sha256 = "0123456789abcdef"
    }
  }
}

variables {
  settle_seconds        = 0
  project               = "acme-tandem"
  region                = "europe-west1"
  google_client_id      = "1234567890-abc.apps.googleusercontent.com"
  google_client_secret  = "not-a-secret"
  creatio_url           = "https://acme.example.com"
  creatio_client_id     = "tandem"
  creatio_client_secret = "not-a-secret"
}

run "defaults" {
  command = apply

  # Data is protected against deletion.
  assert {
    condition     = google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_ENABLED" && google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    error_message = "The database is not protected."
  }
  assert {
    condition     = google_firestore_database.this.deletion_policy == "PREVENT" && google_kms_crypto_key.tokens.deletion_policy == "PREVENT"
    error_message = "Terraform would delete the database or the key."
  }
  assert {
    condition     = google_kms_crypto_key.tokens.rotation_period == "7776000s"
    error_message = "The key does not rotate every 90 days."
  }

  # No function's account has the rights of another.
  assert {
    condition     = length(distinct([for sa in google_service_account.function : sa.account_id])) == length(local.functions)
    error_message = "Two functions share a service account."
  }
  assert {
    condition     = alltrue([for m in google_project_iam_member.store : m.condition[0].expression == "resource.name == \"projects/acme-tandem/databases/tandem-data\""])
    error_message = "A function may read another database."
  }
  assert {
    condition     = length(google_secret_manager_secret_iam_member.read) == 2 * (length(local.functions) - 1) && length(google_kms_crypto_key_iam_member.seal) == length(local.functions) - 1
    error_message = "Not every function that opens accounts reads both secrets and uses the key."
  }
  assert {
    condition = (
      toset(keys(local.environment["calendar-push"])) == toset([
        "CLOUD_RUN_TIMEOUT_SECONDS", "GOMEMLIMIT", "GOOGLE_CLOUD_PROJECT", "INVOKER", "LOG_EXECUTION_ID", "PUBLIC_URL", "QUEUE", "STORE", "TELEMETRY",
      ]) && length(module.function["calendar-push"].secrets) == 0 && !contains(keys(google_kms_crypto_key_iam_member.seal), "calendar-push")
    )
    error_message = "The function that anybody may call has more than it needs: ${join(" ", keys(local.environment["calendar-push"]))}."
  }
  assert {
    condition     = toset([for c in google_project_iam_audit_config.this : c.service]) == toset(["cloudkms.googleapis.com", "secretmanager.googleapis.com"])
    error_message = "The use of keys and secrets is not audited."
  }

  # Each function knows its own address, and the others by one host.
  assert {
    condition     = alltrue([for e in local.environment : e.PUBLIC_URL == "https://europe-west1-acme-tandem.cloudfunctions.net" && e.STORE == "firestore:acme-tandem/tandem-data"])
    error_message = "A function has another address or store."
  }
  assert {
    condition     = local.environment["sync-contacts"].QUEUE == "projects/acme-tandem/locations/europe-west1/queues/tandem-contacts-0a1b2c" && local.environment["settings"].QUEUE == "projects/acme-tandem/locations/europe-west1/queues/tandem-requests-0a1b2c"
    error_message = "What users ask for waits behind the schedule."
  }
  assert {
    condition     = alltrue([for name, e in local.environment : e.CLOUD_RUN_TIMEOUT_SECONDS == tostring(local.size[name].timeout_seconds)])
    error_message = "A run does not know when it has to end."
  }
  assert {
    condition     = local.environment["sync-contacts"].GOMEMLIMIT == "819MiB" && local.environment["settings"].GOMEMLIMIT == "409MiB"
    error_message = "The runtime does not know how much memory there is."
  }
  assert {
    condition     = alltrue([for e in local.environment : !contains(keys(e), "GOOGLE_CLIENT_SECRET") && !contains(keys(e), "CREATIO_CLIENT_SECRET")])
    error_message = "A secret stands in an environment in the clear."
  }

  # Callers: a function accepts a token without its signature only if Cloud Run has verified it.
  assert {
    condition = alltrue([
      for name, f in local.functions : local.environment[name].INVOKER == google_service_account.invoker.email &&
      lookup(local.environment[name], "INVOKER_VERIFIED_BY", "signature") == (f.caller == "invoker" ? "platform" : "signature") &&
      !contains(keys(local.environment[name]), "INVOKER_AUDIENCE")
    ])
    error_message = "A function relies on a check that nobody makes, or checks a signature that was removed."
  }
  assert {
    condition = alltrue([
      for name, f in module.function : f.callers == (lookup(local.environment[name], "INVOKER_VERIFIED_BY", "") == "platform" ? [google_service_account.invoker.member] : ["allUsers"])
    ])
    error_message = "A function that relies on Cloud Run's check may be called by others than the invoker."
  }
  assert {
    condition     = alltrue([for name, job in module.schedule : job.uri == "${local.environment[name].PUBLIC_URL}/${name}" && job.audience == job.uri])
    error_message = "A job calls with a token that its function does not want."
  }
  assert {
    condition     = alltrue([for q in module.queue : length(q.http_target) == 0])
    error_message = "Tasks go elsewhere than they say."
  }

  # Traces and metrics are sent to the own project, and each function may write them and nothing else.
  assert {
    condition     = alltrue([for e in local.environment : e.TELEMETRY == "projects/acme-tandem/locations/europe-west1"])
    error_message = "A function does not know where its traces and metrics go."
  }
  assert {
    condition     = length(google_project_iam_member.telemetry) == 3 * length(local.functions) && contains(local.services, "telemetry.googleapis.com")
    error_message = "A function may not send its traces and metrics."
  }

  # What the provider demands of values (google/verify/validation.go and google/tpgiamresource/resource_iam_member.go of
  # hashicorp/terraform-provider-google), which a mock of it does not check.
  assert {
    condition = alltrue([
      for id in concat([for m in google_service_account_iam_member.act_as_invoker : m.service_account_id], [google_service_account.builder.id]) :
      can(regex("^projects/[a-z0-9-]+/serviceAccounts/[a-z][-a-z0-9]{4,28}[a-z0-9]@[-a-z0-9.]{1,63}\\.iam\\.gserviceaccount\\.com$", id))
    ])
    error_message = "An account's id is none that the provider accepts."
  }
  assert {
    condition = alltrue([
      for m in concat(
        [for m in google_project_iam_member.store : m.member], [for m in google_project_iam_member.telemetry : m.member],
        [for m in google_project_iam_member.build : m.member], [for m in google_kms_crypto_key_iam_member.seal : m.member],
        [for m in google_secret_manager_secret_iam_member.read : m.member], flatten([for f in module.function : f.callers]),
      ) : can(regex("^(.+:.+|allUsers)$", m))
    ])
    error_message = "A member is none that the provider accepts."
  }
  assert {
    condition     = can(regex("^[a-zA-Z0-9_.]{3,64}$", google_project_iam_custom_role.scheduler.role_id)) && alltrue([for a in google_service_account.function : can(regex("^[a-z]([-a-z0-9]{4,28}[a-z0-9])$", a.account_id))])
    error_message = "A role or an account has a name that the provider refuses."
  }

  # A destroy leaves the key ring, and the names of queues are blocked for days after it.
  assert {
    condition     = google_kms_key_ring.this.name == "tandem-0a1b2c"
    error_message = "A deployment that follows a destroy would find its key ring there already."
  }
  assert {
    condition     = length(setsubtract(["cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"], local.services)) == 0
    error_message = "Terraform calls an interface that it does not enable."
  }

  assert {
    condition     = module.monitoring.checked == "europe-west1-acme-tandem.cloudfunctions.net/settings/healthz" && contains(keys(module.monitoring.alarms), "unreachable")
    error_message = "Nobody notices that the settings page cannot be reached."
  }

  # Nothing that costs money is created unless it is configured.
  assert {
    condition     = length(module.edge) == 0 && output.domain_address == null
    error_message = "There is a load balancer without a domain."
  }
  assert {
    condition     = alltrue([for s in local.size : s.min_instances == 0])
    error_message = "Instances run while nobody calls."
  }
}
