# One entry for each alert: query, threshold and what to do. A threshold of 0 disables it. All queries are PromQL, which is
# valid before its metric has a first value. Metric names are mapped as in
# https://cloud.google.com/monitoring/promql/promql-mapping.

locals {
  metric = "logging_googleapis_com:user_${replace(var.name, "-", "_")}"
  runs   = "${local.metric}_runs{monitored_resource=\"cloud_run_revision\"}"
  good   = "${local.metric}_runs{monitored_resource=\"cloud_run_revision\",status=~\"done|partial|continued\"}"
  bad    = "${local.metric}_runs{monitored_resource=\"cloud_run_revision\",status=\"retry\"}"
  errors = "${local.metric}_errors{monitored_resource=\"cloud_run_revision\"}"

  queues = join("|", values(var.queues))
  syncs  = join("|", var.syncs)

  alerts = { for name, alert in {
    silent = {
      on       = var.alerts.silent_minutes
      severity = "CRITICAL"
      title    = "no run has succeeded for ${var.alerts.silent_minutes} minutes"
      query    = "(sum(increase(cloudtasks_googleapis_com:queue_task_attempt_count{monitored_resource=\"cloud_tasks_queue\",queue_id=~\"${local.queues}\"}[${var.alerts.silent_minutes}m])) > 0) unless (sum(increase(${local.good}[${var.alerts.silent_minutes}m])) > 0)"
      todo     = "Runs are handed out and none ends well. Read the errors of the sync functions. Nothing is lost: the next run that succeeds takes in everything since the last one."
    }
    failing = {
      on       = var.alerts.error_percent
      severity = "ERROR"
      title    = "more than ${var.alerts.error_percent} % of runs have to be repeated"
      query    = "100 * sum(increase(${local.bad}[30m])) / sum(increase(${local.runs}[30m])) > ${var.alerts.error_percent} and sum(increase(${local.runs}[30m])) >= 10"
      todo     = "Look at the kind of the warnings \"run ended early\": quota and unreachable pass by themselves, and point to Google or Creatio."
    }
    errors = {
      on       = var.alerts.function_errors
      severity = "ERROR"
      title    = "functions log errors"
      query    = "sum by (service_name) (increase(${local.errors}[15m])) >= ${var.alerts.function_errors}"
      todo     = "An error, unlike a warning, does not pass: the configuration is wrong, a right is missing, or there is a bug. The line says which; of a run of kind misconfigured, /settings/admin says what its user is told. Such a run is tried again within the hour, and goes on when it is mended."
    }
    crashes = {
      on       = var.alerts.function_errors
      severity = "ERROR"
      title    = "functions answer 5xx"
      query    = "sum by (service_name) (increase(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",service_name=~\"${join("|", [for f in var.functions : f if !contains(var.syncs, f)])}\",response_code_class=\"5xx\"}[15m])) >= ${var.alerts.function_errors}"
      todo     = "Read the function's log around that time. A start that fails says every wrong variable at once."
    }
    held = {
      on       = var.alerts.held_runs
      severity = "WARNING"
      title    = "runs wait for their users"
      query    = "sum by (type) (increase(${local.metric}_runs{monitored_resource=\"cloud_run_revision\",status=\"held\"}[1h])) >= ${var.alerts.held_runs}"
      todo     = "A run would have taken away much and waits for its user to approve or reject it. Many at once mean that one side answers with too little: ask before anybody approves."
    }
    reconnects = {
      on       = var.alerts.reconnects
      severity = "WARNING"
      title    = "accounts have to be linked again"
      query    = "sum by (type) (increase(${local.metric}_runs{monitored_resource=\"cloud_run_revision\",status=\"reconnect\"}[1h])) >= ${var.alerts.reconnects}"
      todo     = "One is a user who withdrew the grant. Many at once are an administrator's policy, a consent screen still in testing (tokens die after 7 days), or a client secret that was changed."
    }
    late = {
      on       = var.alerts.queue_delay_seconds
      severity = "WARNING"
      title    = "tasks wait longer than ${var.alerts.queue_delay_seconds} s"
      query    = "histogram_quantile(0.95, sum by (queue_id, le) (increase(cloudtasks_googleapis_com:queue_task_attempt_delays_bucket{monitored_resource=\"cloud_tasks_queue\",queue_id=~\"${local.queues}\"}[10m]))) > ${var.alerts.queue_delay_seconds * 1000}"
      todo     = "More users are due than the queue hands out, or runs take longer. Raise concurrent in queues and max_instances in functions, within what Creatio bears."
    }
    quota = {
      on       = var.alerts.quota_percent
      severity = "WARNING"
      title    = "more than ${var.alerts.quota_percent} % of a quota is used"
      query    = "100 * sum by (service, quota_metric) (increase(serviceruntime_googleapis_com:quota_rate_net_usage{monitored_resource=\"consumer_quota\",service=~\"people.googleapis.com|calendar-json.googleapis.com\"}[1m])) / on (service, quota_metric) min by (service, quota_metric) (max_over_time(serviceruntime_googleapis_com:quota_limit{monitored_resource=\"consumer_quota\",service=~\"people.googleapis.com|calendar-json.googleapis.com\",limit_name!~\".*PerUser.*\"}[1d]) > 0) > ${var.alerts.quota_percent}"
      todo     = "Ask Google for more under IAM & Admin, Quotas, or lower per_second in queues. Above the quota runs are repeated later; nothing is lost."
    }
    # Only the program's own metrics show how long a user has been due: a user stays due until a run succeeds.
    overdue = {
      on       = var.telemetry ? var.alerts.overdue_minutes : 0
      severity = "WARNING"
      title    = "somebody has been due for ${var.alerts.overdue_minutes} minutes"
      query    = "max by (type) (max_over_time(tandem_overdue_seconds[10m])) > ${var.alerts.overdue_minutes * 60}"
      todo     = "Users are due faster than their runs end, or one user's runs never do. If tasks wait as well, raise concurrent in queues and max_instances in functions; if not, look for lines of the same user at /settings/admin and in the log."
    }
    ticks = {
      on       = var.alerts.scheduler_failures
      severity = "ERROR"
      title    = "Cloud Scheduler's calls fail"
      query    = "sum(increase(${local.metric}_failed_ticks{monitored_resource=\"cloud_scheduler_job\"}[15m])) >= ${var.alerts.scheduler_failures}"
      todo     = "Nobody who is due is found as long as this lasts. The log of the job says why: not reached, timed out, or turned away."
    }
    scheduler = {
      on       = var.alerts.scheduler_failures
      severity = "ERROR"
      title    = "calls of Cloud Scheduler or Cloud Tasks are turned away"
      query    = "sum by (service_name) (increase(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",service_name=~\"${local.syncs}\",response_code_class=\"4xx\"}[15m])) >= ${var.alerts.scheduler_failures}"
      todo     = "The invoker lost its role, or the address changed. terraform plan shows what differs."
    }
  } : name => alert if alert.on > 0 }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alerts.emails)

  project      = var.project
  display_name = "Tandem: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }
}

locals {
  channels = concat([for c in google_monitoring_notification_channel.email : c.name], var.alerts.channels)
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  project               = var.project
  display_name          = "Tandem: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels
  user_labels           = merge(var.labels, { alarm = each.key })

  conditions {
    display_name = each.value.title
    condition_prometheus_query_language {
      query                     = each.value.query
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "${var.alerts.auto_close_minutes * 60}s"
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "Tandem: ${each.value.title}"
    content   = each.value.todo
  }

  depends_on = [google_logging_metric.runs, google_logging_metric.errors, google_logging_metric.ticks]
}

# From several regions of Google, every five minutes.
resource "google_monitoring_uptime_check_config" "settings" {
  count = var.health_url == null || var.alerts.unreachable_minutes == 0 ? 0 : 1

  project      = var.project
  display_name = "Tandem (${var.name}): settings"
  timeout      = "30s" # A first instance needs some seconds.
  period       = "300s"

  http_check {
    path         = regex("^https://[^/]+(/.*)$", var.health_url)[0]
    port         = 443
    use_ssl      = true
    validate_ssl = true
    accepted_response_status_codes {
      status_class = "STATUS_CLASS_2XX"
    }
  }

  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project
      host       = regex("^https://([^/]+)", var.health_url)[0]
    }
  }
}

resource "google_monitoring_alert_policy" "unreachable" {
  count = length(google_monitoring_uptime_check_config.settings)

  project               = var.project
  display_name          = "Tandem: the settings page cannot be reached"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = merge(var.labels, { alarm = "unreachable" })

  conditions {
    display_name = "two regions or more get no answer for ${var.alerts.unreachable_minutes} minutes"
    condition_threshold {
      filter          = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id=\"${google_monitoring_uptime_check_config.settings[0].uptime_check_id}\" AND resource.type=\"uptime_url\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "${var.alerts.unreachable_minutes * 60}s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
      }
    }
  }

  alert_strategy {
    auto_close = "${var.alerts.auto_close_minutes * 60}s"
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "Tandem: the settings page cannot be reached"
    content   = "Open /settings/healthz. No answer: with a domain look at its record, certificate and load balancer. 403: the grant for allUsers is gone, or the organization forbids it now. 5xx: read the function's log; a start that fails says every wrong variable at once."
  }
}

# The budget's interface returns projects by number, so that an id would differ in every plan.
data "google_project" "this" {
  count = var.budget == null ? 0 : 1

  project_id = var.project
}

resource "google_billing_budget" "this" {
  count = var.budget == null ? 0 : 1

  billing_account = var.budget.billing_account
  display_name    = "Tandem: ${var.project}"

  budget_filter {
    projects = ["projects/${data.google_project.this[0].number}"]
  }

  amount {
    specified_amount {
      units = tostring(floor(var.budget.amount))
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = slice(local.channels, 0, min(5, length(local.channels)))
    disable_default_iam_recipients   = false
  }
}
