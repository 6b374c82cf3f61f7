output "url" {
  description = "Address that Google gives the function"
  value       = google_cloudfunctions2_function.this.url
}
