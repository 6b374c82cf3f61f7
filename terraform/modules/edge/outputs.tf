output "address" {
  description = "What the domain's A record has to name"
  value       = google_compute_global_address.this.address
}
