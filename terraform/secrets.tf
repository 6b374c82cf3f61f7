# The two client secrets. Their values are write-only arguments, which are not in the state, or versions that the team has
# added itself. Functions pin the number of the version, so a new one takes effect with the next apply.

locals {
  secrets = merge(
    { google-client-secret = { variable = "GOOGLE_CLIENT_SECRET", version = var.google_client_secret_version } },
    var.creatio_auth == "password" ? {} : {
      creatio-client-secret = { variable = "CREATIO_CLIENT_SECRET", version = var.creatio_client_secret_version }
    },
  )
  secret_values = {
    google-client-secret  = var.google_client_secret
    creatio-client-secret = var.creatio_client_secret
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
