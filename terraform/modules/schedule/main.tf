# One job of Cloud Scheduler that calls a function with an empty object. After the creation the program sets its schedule,
# and pauses and resumes it.

variable "deadline_seconds" {
  description = "How long to wait for the answer"
  type        = number
}

variable "invoker" {
  description = "E-mail of the service account to call with"
  type        = string
}

variable "name" {
  description = "Name of the job"
  type        = string
}

variable "project" {
  description = "Project id"
  type        = string
}

variable "region" {
  description = "Region"
  type        = string
}

variable "url" {
  description = "Address of the function"
  type        = string
}

resource "google_cloud_scheduler_job" "this" {
  project          = var.project
  region           = var.region
  name             = var.name
  schedule         = "* * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "${var.deadline_seconds}s"

  # If these retries fail, the next tick follows.
  retry_config {
    retry_count          = 2
    min_backoff_duration = "5s"
    max_backoff_duration = "60s"
    max_doublings        = 3
  }

  http_target {
    http_method = "POST"
    uri         = var.url
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode("{}")

    oidc_token {
      service_account_email = var.invoker
      audience              = var.url
    }
  }

  lifecycle {
    ignore_changes = [paused, schedule]
  }
}

output "audience" {
  description = "Whom the token is for that the job calls with"
  value       = google_cloud_scheduler_job.this.http_target[0].oidc_token[0].audience
}

output "uri" {
  description = "What the job calls"
  value       = google_cloud_scheduler_job.this.http_target[0].uri
}
