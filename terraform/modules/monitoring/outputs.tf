output "alarms" {
  description = "The alert policies by what they are for"
  value       = { for name, policy in google_monitoring_alert_policy.this : name => policy.display_name }
}

output "dashboard_url" {
  description = "The dashboard in the console"
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${basename(google_monitoring_dashboard.this.id)}?project=${var.project}"
}

output "budget" {
  description = "The projects whose costs the budget counts; null without one"
  value       = one([for b in google_billing_budget.this : b.budget_filter[0].projects])
}
