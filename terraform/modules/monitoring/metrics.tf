# Metrics of log lines. A test compares the messages with shared/app, which logs them.

locals {
  services = join(" OR ", [for name in var.functions : "\"${name}\""])
  ours     = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${local.services})"
}

resource "google_logging_metric" "runs" {
  project = var.project
  name    = "${var.name}/runs"
  filter  = "${local.ours} AND jsonPayload.message=(\"run ended\" OR \"run ended early\" OR \"run failed\")"
  label_extractors = {
    type   = "EXTRACT(labels.type)"
    status = "EXTRACT(jsonPayload.status)"
  }

  metric_descriptor {
    metric_kind  = "DELTA"
    value_type   = "INT64"
    unit         = "1"
    display_name = "Tandem runs"

    labels {
      key        = "type"
      value_type = "STRING"
    }
    labels {
      key        = "status"
      value_type = "STRING"
    }
  }
}

resource "google_logging_metric" "ticks" {
  project = var.project
  name    = "${var.name}/failed_ticks"
  filter  = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=(${join(" OR ", [for name in var.syncs : "\"${name}\""])}) AND severity>=ERROR"

  metric_descriptor {
    metric_kind  = "DELTA"
    value_type   = "INT64"
    unit         = "1"
    display_name = "Tandem calls of Cloud Scheduler that failed"
  }
}

resource "google_logging_metric" "errors" {
  project = var.project
  name    = "${var.name}/errors"
  filter  = "${local.ours} AND severity>=ERROR"

  metric_descriptor {
    metric_kind  = "DELTA"
    value_type   = "INT64"
    unit         = "1"
    display_name = "Tandem errors"
  }
}
