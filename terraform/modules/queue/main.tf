# One queue of Cloud Tasks.

variable "host" {
  description = "Host that tasks go to whatever address they name; null: where they say"
  type        = string
}

variable "name" {
  description = "Name of the queue"
  type        = string
}

variable "project" {
  description = "Project id"
  type        = string
}

variable "rate" {
  description = "How fast tasks are handed out, and how they are repeated"
  type = object({
    per_second  = number
    concurrent  = number
    attempts    = number
    min_backoff = number
    max_backoff = number
  })
}

variable "region" {
  description = "Region"
  type        = string
}

variable "token" {
  description = "With a host: account and audience of the token of every task; null: each task has its own"
  type        = object({ account = string, audience = string })
}

resource "google_cloud_tasks_queue" "this" {
  project  = var.project
  location = var.region
  name     = var.name

  rate_limits {
    max_dispatches_per_second = var.rate.per_second
    max_concurrent_dispatches = var.rate.concurrent
  }

  # A user whose task fails for longer than this is due again at the next tick.
  retry_config {
    max_attempts  = var.rate.attempts
    min_backoff   = "${var.rate.min_backoff}s"
    max_backoff   = "${var.rate.max_backoff}s"
    max_doublings = 5
  }

  # One line in a hundred is enough to see that tasks run; the functions' own logs have the details.
  stackdriver_logging_config {
    sampling_ratio = 0.01
  }

  dynamic "http_target" {
    for_each = var.host == null ? [] : [var.host]
    content {
      uri_override {
        scheme                    = "HTTPS"
        host                      = http_target.value
        uri_override_enforce_mode = "ALWAYS"
      }

      dynamic "oidc_token" {
        for_each = var.token == null ? [] : [var.token]
        content {
          service_account_email = oidc_token.value.account
          audience              = oidc_token.value.audience
        }
      }
    }
  }

  # Its name contains a suffix that older deployments have not, and a queue cannot be renamed.
  lifecycle {
    ignore_changes = [name]
  }
}

output "http_target" {
  description = "What the queue sets for its tasks: where they go"
  value       = google_cloud_tasks_queue.this.http_target
}

output "id" {
  description = "projects/P/locations/L/queues/Q"
  value       = "projects/${var.project}/locations/${var.region}/queues/${google_cloud_tasks_queue.this.name}"
}

output "name" {
  description = "Name of the queue"
  value       = google_cloud_tasks_queue.this.name
}
