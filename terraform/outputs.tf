output "dashboard_url" {
  description = "The dashboard in the console"
  value       = module.monitoring.dashboard_url
}

output "domain_address" {
  description = "The address that the domain's A record has to name; null without a domain"
  value       = one(module.edge[*].address)
}

output "functions" {
  description = "Address and service account of every function"
  value       = { for name, f in module.function : name => { url = f.url, service_account = google_service_account.function[name].email } }

  # https://cloud.google.com/run/docs/configuring/services/memory-limits and …/cpu
  precondition {
    condition = alltrue([
      for name, m in local.mebibytes :
      m <= lookup({ "1" = 4096, "2" = 8192, "4" = 16384, "6" = 24576, "8" = 32768 }, local.size[name].cpu, tonumber(local.size[name].cpu) < 0.5 ? 512 : 1024)
    ])
    error_message = "An instance has at most 512 Mi of memory with less than half a CPU, 1 Gi with less than one, 4 Gi with 1, 8 with 2, 16 with 4, 24 with 6 and 32 with 8."
  }
  precondition {
    condition     = alltrue([for name, m in local.mebibytes : m >= lookup({ "4" = 2048, "6" = 4096, "8" = 4096 }, local.size[name].cpu, 128)])
    error_message = "An instance has at least 128 Mi of memory, 2 Gi with 4 CPU, and 4 Gi with 6 or 8."
  }
}

output "cpus" {
  description = "CPUs that the largest function may use at a time; the project's quota in the region has to allow them"
  value       = max([for s in local.size : tonumber(s.cpu) * s.max_instances]...)
}

output "google_redirect_uri" {
  description = "Redirect URI to register with the Google OAuth client, and with nothing else"
  value       = "${local.public_url}/oauth-callback"
}

output "creatio_redirect_uri" {
  description = "Redirect URI to register with the OAuth application in Creatio, and with nothing else; null where none is needed"
  value       = var.creatio_auth == "user" ? "${local.public_url}/oauth-callback/creatio" : null
}

output "invoker" {
  description = "The service account that Cloud Scheduler and Cloud Tasks call with"
  value       = google_service_account.invoker.email
}

output "key" {
  description = "The key that seals tokens"
  value       = google_kms_crypto_key.tokens.id
}

output "queues" {
  description = "Cloud Tasks queues by what they carry"
  value       = { for name, q in module.queue : name => q.id }

  precondition {
    condition = alltrue([
      for name, f in local.functions : local.rates[f.queue].concurrent <= local.size[name].max_instances * local.size[name].concurrency
      if f.caller == "invoker"
    ])
    error_message = "A queue has more tasks at a time than its function has room for: raise max_instances or concurrency in functions, or lower concurrent in queues."
  }
}

output "secrets" {
  description = "Secrets in Secret Manager and the versions in use"
  value       = { for name, s in module.secret : name => { id = s.secret_id, version = s.version } }
}

output "settings_url" {
  description = "Where users go"
  value       = "${local.public_url}/settings"
  depends_on  = [module.function]
}
