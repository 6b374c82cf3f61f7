output "callers" {
  description = "Who has the role run.invoker"
  value       = [for m in google_cloud_run_v2_service_iam_member.caller : m.member]
}

output "secrets" {
  description = "Environment variables that come from Secret Manager"
  value       = [for s in google_cloudfunctions2_function.this.service_config[0].secret_environment_variables : s.key]
}

output "url" {
  description = "Address that Google gives the function"
  value       = google_cloudfunctions2_function.this.url
}
