output "address" {
  description = "What the domain's A record has to name"
  value       = google_compute_global_address.this.address
}

output "tls" {
  description = "The SSL policy in use; null: Google's default"
  value       = google_compute_target_https_proxy.this.ssl_policy
}

output "unlimited" {
  description = "Functions to which the rate rules do not apply"
  value       = toset([for name, b in google_compute_backend_service.function : name if b.security_policy == null])
}
