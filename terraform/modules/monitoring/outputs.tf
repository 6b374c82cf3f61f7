output "alarms" {
  description = "The alert policies by what they are for"
  value = merge(
    { for name, policy in google_monitoring_alert_policy.this : name => policy.display_name },
    { for policy in google_monitoring_alert_policy.unreachable : "unreachable" => policy.display_name },
  )
}

output "checked" {
  description = "Host and path that are called from outside; null: none"
  value       = one([for c in google_monitoring_uptime_check_config.settings : "${c.monitored_resource[0].labels.host}${c.http_check[0].path}"])
}

output "dashboard_url" {
  description = "The dashboard in the console"
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${basename(google_monitoring_dashboard.this.id)}?project=${var.project}"
}

output "budget" {
  description = "The projects whose costs the budget counts; null without one"
  value       = one([for b in google_billing_budget.this : b.budget_filter[0].projects])
}
