# The client secrets, and the addresses to which notices go, which have a password in them. Their values are write-only arguments, which are not in the state, or versions that the team has
# added itself. Functions pin the number of the version, so a new one takes effect with the next apply.

locals {
  secrets = merge(
    { google-client-secret = { variable = "GOOGLE_CLIENT_SECRET", version = var.google_client_secret_version } },
    var.creatio_auth == "password" ? {} : {
      creatio-client-secret = { variable = "CREATIO_CLIENT_SECRET", version = var.creatio_client_secret_version }
    },
    # Notices are off without a value or a version.
    nonsensitive(var.notice_smtp == null) && var.notice_smtp_version == 0 ? {} : {
      notice-smtp = { variable = "NOTICE_SMTP", version = max(1, var.notice_smtp_version) }
    },
    nonsensitive(var.notice_webhook == null) && var.notice_webhook_version == 0 ? {} : {
      notice-webhook = { variable = "NOTICE_WEBHOOK", version = max(1, var.notice_webhook_version) }
    },
  )
  # Only runs and ticks send notices.
  readers = {
    for name, s in local.secrets : name => [
      for function, f in local.functions : function if f.accounts && (f.caller == "invoker" || !startswith(name, "notice-"))
    ]
  }
  secret_values = {
    google-client-secret  = var.google_client_secret
    creatio-client-secret = var.creatio_client_secret
    notice-smtp           = var.notice_smtp
    notice-webhook        = var.notice_webhook
  }
}

module "secret" {
  source   = "./modules/secret"
  for_each = local.secrets

  project             = var.project
  region              = var.region
  secret_id           = "${var.name}-${each.key}"
  labels              = var.labels
  value               = local.secret_values[each.key]
  version_number      = each.value.version
  deletion_protection = var.deletion_protection

  depends_on = [google_project_service.this]
}
