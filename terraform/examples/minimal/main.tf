# The minimum: a project, a region, a Google OAuth client and a Creatio site. Everything else has a default.

terraform {
  required_version = ">= 1.9"

  required_providers {
    archive = {
      source  = "hashicorp/archive"
      version = "~> 2.7"
    }
    google = {
      source  = "hashicorp/google"
      version = ">= 7.45, < 8"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
  }
}

variable "project" {
  description = "Id of the Google Cloud project"
  type        = string
}

variable "google_client_id" {
  description = "Client id of the Google OAuth client"
  type        = string
}

variable "google_client_secret" {
  description = "Secret of the Google OAuth client; as TF_VAR_google_client_secret"
  type        = string
  sensitive   = true
}

variable "creatio_url" {
  description = "Address of the Creatio site"
  type        = string
}

variable "creatio_client_id" {
  description = "Client id of the OAuth application in Creatio"
  type        = string
}

variable "creatio_client_secret" {
  description = "Secret of the OAuth application in Creatio; as TF_VAR_creatio_client_secret"
  type        = string
  sensitive   = true
}

module "tandem" {
  source = "../.."

  project               = var.project
  region                = "europe-west1"
  google_client_id      = var.google_client_id
  google_client_secret  = var.google_client_secret
  creatio_url           = var.creatio_url
  creatio_client_id     = var.creatio_client_id
  creatio_client_secret = var.creatio_client_secret
}

output "settings_url" {
  description = "Where users go"
  value       = module.tandem.settings_url
}

output "redirect_uris" {
  description = "What to register with Google and with Creatio"
  value       = { google = module.tandem.google_redirect_uri, creatio = module.tandem.creatio_redirect_uri }
}
