locals {
  # The metrics that the functions send.
  own = [
    ["Duration of runs, 95 %, in s", "histogram_quantile(0.95, sum by (type, le) (increase(tandem_run_seconds_bucket[5m])))"],
    ["Records changed", "sum by (side, action) (increase(tandem_changes[5m]))"],
    ["Failures by kind", "sum by (type, side, kind) (increase(tandem_failures[5m]))"],
    ["Calls to both services by answer", "sum by (side, api, class) (rate(tandem_calls[5m]))"],
    ["Delay of runs, 95 %, in s", "histogram_quantile(0.95, sum by (type, le) (increase(tandem_run_wait_seconds_bucket[5m])))"],
    ["Age of the last success, 95 %, in s", "histogram_quantile(0.95, sum by (type, le) (increase(tandem_last_success_age_seconds_bucket[30m])))"],
    ["Longest due, in s", "max by (type) (tandem_overdue_seconds)"],
  ]
  charts = concat([
    ["Runs by how they ended", "sum by (type, status) (increase(${local.runs}[5m]))"],
    ["Errors by function", "sum by (service_name) (increase(${local.errors}[5m]))"],
    ["Tasks waiting", "max by (queue_id) (cloudtasks_googleapis_com:queue_depth{monitored_resource=\"cloud_tasks_queue\",queue_id=~\"${local.queues}\"})"],
    ["Delay of tasks, 95 %, in ms", "histogram_quantile(0.95, sum by (queue_id, le) (increase(cloudtasks_googleapis_com:queue_task_attempt_delays_bucket{monitored_resource=\"cloud_tasks_queue\",queue_id=~\"${local.queues}\"}[5m])))"],
    ["Requests by function and answer", "sum by (service_name, response_code_class) (rate(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",service_name=~\"${join("|", var.functions)}\"}[5m]))"],
    ["Duration of requests, 95 %, in ms", "histogram_quantile(0.95, sum by (service_name, le) (increase(run_googleapis_com:request_latencies_bucket{monitored_resource=\"cloud_run_revision\",service_name=~\"${join("|", var.functions)}\"}[5m])))"],
    ["Instances", "sum by (service_name) (run_googleapis_com:container_instance_count{monitored_resource=\"cloud_run_revision\",service_name=~\"${join("|", var.functions)}\"})"],
    ["Documents read", "sum(rate(firestore_googleapis_com:document_read_ops_count{database_id=\"${var.database}\"}[5m]))"],
    ["Documents written", "sum(rate(firestore_googleapis_com:document_write_ops_count{database_id=\"${var.database}\"}[5m]))"],
    ["Google's interfaces: calls", "sum by (service) (rate(serviceruntime_googleapis_com:api_request_count{monitored_resource=\"consumed_api\",service=~\"people.googleapis.com|calendar-json.googleapis.com|cloudkms.googleapis.com\"}[5m]))"],
  ], var.telemetry ? local.own : [])
}

resource "google_monitoring_dashboard" "this" {
  project = var.project
  dashboard_json = jsonencode({
    displayName = "Tandem (${var.name})"
    mosaicLayout = {
      columns = 12
      tiles = [for i, chart in local.charts : {
        xPos   = i % 2 * 6
        yPos   = floor(i / 2) * 4
        width  = 6
        height = 4
        widget = {
          title = chart[0]
          xyChart = {
            dataSets = [{
              plotType        = "LINE"
              timeSeriesQuery = { prometheusQuery = chart[1] }
            }]
          }
        }
      }]
    }
  })
}
