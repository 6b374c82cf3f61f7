# One function, and who may call it.

resource "google_cloudfunctions2_function" "this" {
  project  = var.project
  location = var.region
  name     = var.name
  labels   = var.labels

  build_config {
    runtime           = var.runtime
    entry_point       = var.entry_point
    service_account   = var.builder
    docker_repository = var.repository
    environment_variables = {
      # If go.mod does not name the framework, the build fails instead of choosing a version.
      GOOGLE_SKIP_FRAMEWORK_INJECTION = "true"
    }

    source {
      storage_source {
        bucket = var.bucket
        object = var.object
      }
    }
  }

  service_config {
    available_cpu                    = var.size.cpu
    available_memory                 = var.size.memory
    timeout_seconds                  = var.size.timeout_seconds
    min_instance_count               = var.size.min_instances
    max_instance_count               = var.size.max_instances
    max_instance_request_concurrency = var.size.concurrency
    service_account_email            = var.service_account
    ingress_settings                 = var.ingress
    all_traffic_on_latest_revision   = true
    environment_variables            = var.environment
    direct_vpc_egress                = var.egress == null ? null : var.egress.all_traffic ? "VPC_EGRESS_ALL_TRAFFIC" : "VPC_EGRESS_PRIVATE_RANGES_ONLY"

    dynamic "secret_environment_variables" {
      for_each = var.secrets
      content {
        key        = secret_environment_variables.key
        project_id = var.project
        secret     = secret_environment_variables.value.secret
        # A number, never "latest", so that every instance of a revision has the same value.
        version = secret_environment_variables.value.version
      }
    }

    dynamic "direct_vpc_network_interface" {
      for_each = var.egress == null ? [] : [var.egress]
      content {
        network    = direct_vpc_network_interface.value.network
        subnetwork = direct_vpc_network_interface.value.subnetwork
        tags       = direct_vpc_network_interface.value.tags
      }
    }
  }
}

# A function of the second generation is a service of Cloud Run, which decides who may call it.
resource "google_cloud_run_v2_service_iam_member" "caller" {
  for_each = { for index, member in var.callers : index => member }

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.this.name
  role     = "roles/run.invoker"
  member   = each.value
}
