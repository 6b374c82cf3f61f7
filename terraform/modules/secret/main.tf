# One secret, and the version in use.

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete it"
  type        = bool
}

variable "labels" {
  description = "Labels"
  type        = map(string)
}

variable "project" {
  description = "Project id"
  type        = string
}

variable "region" {
  description = "Region that keeps the value"
  type        = string
}

variable "secret_id" {
  description = "Name of the secret"
  type        = string
}

variable "value" {
  description = "The value, which no state keeps; null where the team adds versions itself"
  type        = string
  sensitive   = true
}

variable "version_number" {
  description = "With a value: raised to write it anew. Without: the version that the team added"
  type        = number
}

locals {
  # Whether there is a value is not secret.
  given = nonsensitive(var.value != null)
}

resource "google_secret_manager_secret" "this" {
  project   = var.project
  secret_id = var.secret_id
  labels    = var.labels
  # A destroyed version can be restored for a week.
  version_destroy_ttl = "604800s"
  deletion_protection = var.deletion_protection
  deletion_policy     = var.deletion_protection ? "PREVENT" : "DELETE"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

resource "google_secret_manager_secret_version" "this" {
  count = local.given ? 1 : 0

  secret                 = google_secret_manager_secret.this.id
  secret_data_wo         = var.value
  secret_data_wo_version = tostring(var.version_number)
  # A replaced version is only disabled, because a rollback may need it.
  deletion_policy = "DISABLE"

  lifecycle {
    create_before_destroy = true
  }
}

output "secret_id" {
  description = "Name of the secret"
  value       = google_secret_manager_secret.this.secret_id
}

output "version" {
  description = "Number of the version in use"
  value       = local.given ? google_secret_manager_secret_version.this[0].version : tostring(var.version_number)
}
