locals {
  charts = [
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
  ]
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
