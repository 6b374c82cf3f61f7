variable "alerts" {
  description = "Who is told, and thresholds"
  type = object({
    emails              = list(string)
    channels            = list(string)
    silent_minutes      = number
    error_percent       = number
    function_errors     = number
    held_runs           = number
    queue_delay_seconds = number
    quota_percent       = number
    reconnects          = number
    overdue_minutes     = number
    scheduler_failures  = number
    unreachable_minutes = number
    auto_close_minutes  = number
  })
}

variable "budget" {
  description = "Monthly budget, or null"
  type = object({
    billing_account = string
    amount          = number
  })
}

variable "database" {
  description = "Name of the Firestore database"
  type        = string
}

variable "functions" {
  description = "Names of all functions"
  type        = list(string)
}

variable "health_url" {
  description = "What has to answer a call without any token; null: there is no such address"
  type        = string
}

variable "labels" {
  description = "Labels"
  type        = map(string)
}

variable "name" {
  description = "What names begin with"
  type        = string
}

variable "project" {
  description = "Project id"
  type        = string
}

variable "queues" {
  description = "Names of the queues by what they carry"
  type        = map(string)
}

variable "syncs" {
  description = "Names of the functions that Cloud Scheduler calls"
  type        = list(string)
}

variable "telemetry" {
  description = "Whether the functions send metrics of their own"
  type        = bool
}
