# A large company: Creatio 8.2 with names and passwords, its own domain, calls through its own network, secrets that its
# security team adds to Secret Manager itself, capacity for a hundred thousand users, and recipients of alerts.

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

variable "billing_account" {
  description = "Billing account of the project"
  type        = string
}

module "tandem" {
  source = "../.."

  project = var.project
  region  = "europe-west1"
  name    = "crm-sync"
  labels  = { app = "tandem", team = "crm" }
  domain  = "tandem.example.com"

  google_client_id             = "1234567890-abc.apps.googleusercontent.com"
  google_client_secret_version = 3
  creatio_url                  = "https://acme.example.com"
  creatio_auth                 = "password"

  allowed_domains = ["example.com"]
  admin_emails    = ["ada@example.com", "alan@example.com"]

  database           = "tandem"
  firestore_location = "eur3"
  backup_days        = 14
  key_rotation_days  = 30

  functions = {
    settings      = { min_instances = 1, max_instances = 50 }
    sync-contacts = { memory = "2Gi", cpu = "2", concurrency = 8, max_instances = 100 }
  }
  queues = {
    contacts = { per_second = 100, concurrent = 600 }
  }

  egress = {
    network    = "projects/acme-network/global/networks/shared"
    subnetwork = "projects/acme-network/regions/europe-west1/subnetworks/functions"
    tags       = ["tandem"]
  }

  rate_limits = { requests_per_minute = 600, sign_ins_per_minute = 30 }
  alerts = {
    emails         = ["ada@example.com"]
    silent_minutes = 60
    held_runs      = 25
    reconnects     = 100
  }
  budget = { billing_account = var.billing_account, amount = 2500 }
}

output "settings_url" {
  description = "Where users go"
  value       = module.tandem.settings_url
}

output "google_redirect_uri" {
  description = "What to register with Google"
  value       = module.tandem.google_redirect_uri
}

output "domain_address" {
  description = "What the A record of the domain has to name"
  value       = module.tandem.domain_address
}
