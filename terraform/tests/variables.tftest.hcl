# Values that would fail half-way through an apply, or later, are rejected before.

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      name      = "projects/acme-tandem/serviceAccounts/tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      id        = "projects/acme-tandem/serviceAccounts/tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      email     = "tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      member    = "serviceAccount:tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      unique_id = "100000000000000000001"
    }
  }
  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }
}

mock_provider "random" {
  mock_resource "random_id" {
    defaults = {
      hex = "0a1b2c"
    }
  }
}
mock_provider "archive" {}

variables {
  project           = "acme-tandem"
  region            = "europe-west1"
  google_client_id  = "1234567890-abc.apps.googleusercontent.com"
  creatio_url       = "https://acme.example.com"
  creatio_client_id = "tandem"
}

run "a_project_number" {
  command         = plan
  expect_failures = [var.project]
  variables {
    project = "1234567890"
  }
}

run "a_zone" {
  command         = plan
  expect_failures = [var.region]
  variables {
    region = "europe-west1-b"
  }
}

run "a_long_name" {
  command         = plan
  expect_failures = [var.name]
  variables {
    name = "a-name-that-is-too-long"
  }
}

run "a_client_id_of_another_kind" {
  command         = plan
  expect_failures = [var.google_client_id]
  variables {
    google_client_id = "tandem"
  }
}

run "plain_http" {
  command         = plan
  expect_failures = [var.creatio_url]
  variables {
    creatio_url = "http://acme.example.com"
  }
}

run "inside_of_the_site" {
  command         = plan
  expect_failures = [var.creatio_url]
  variables {
    creatio_url = "https://acme.example.com/0/ServiceModel"
  }
}

run "an_unknown_way_to_sign_in" {
  command         = plan
  expect_failures = [var.creatio_auth]
  variables {
    creatio_auth = "saml"
  }
}

run "no_client_id_of_creatio" {
  command         = plan
  expect_failures = [var.creatio_client_id]
  variables {
    creatio_client_id = ""
  }
}

run "an_identity_service_without_encryption" {
  command         = plan
  expect_failures = [var.creatio_identity_url]
  variables {
    creatio_identity_url = "http://is.example.com"
  }
}

run "a_domain_with_a_scheme" {
  command         = plan
  expect_failures = [var.domain]
  variables {
    domain = "https://tandem.example.com"
  }
}

run "a_domain_as_an_address" {
  command         = plan
  expect_failures = [var.allowed_domains]
  variables {
    allowed_domains = ["@@example.com"]
  }
}

run "an_admin_without_a_domain" {
  command         = plan
  expect_failures = [var.admin_emails]
  variables {
    admin_emails = ["ada"]
  }
}

run "a_database_with_a_capital" {
  command         = plan
  expect_failures = [var.database]
  variables {
    database = "Tandem"
  }
}

run "a_backup_for_a_year" {
  command         = plan
  expect_failures = [var.backup_days]
  variables {
    backup_days = 365
  }
}

run "a_key_that_never_rotates" {
  command         = plan
  expect_failures = [var.key_rotation_days]
  variables {
    key_rotation_days = 0
  }
}

run "a_version_of_nought" {
  command         = plan
  expect_failures = [var.google_client_secret_version]
  variables {
    google_client_secret_version = 0
  }
}

run "half_a_version" {
  command         = plan
  expect_failures = [var.creatio_client_secret_version]
  variables {
    creatio_client_secret_version = 1.5
  }
}

run "a_budget_of_nothing" {
  command         = plan
  expect_failures = [var.budget]
  variables {
    budget = { billing_account = "012345-ABCDEF-678901", amount = 0 }
  }
}

run "an_alarm_to_nobody" {
  command         = plan
  expect_failures = [var.alerts]
  variables {
    alerts = { emails = ["ada"] }
  }
}

run "a_channel_by_its_title" {
  command         = plan
  expect_failures = [var.alerts]
  variables {
    alerts = { channels = ["on call"] }
  }
}

run "an_alarm_over_a_hundred_percent" {
  command         = plan
  expect_failures = [var.alerts]
  variables {
    alerts = { error_percent = 120 }
  }
}

run "an_alarm_every_minute" {
  command         = plan
  expect_failures = [var.alerts]
  variables {
    alerts = { silent_minutes = 1 }
  }
}

run "a_function_that_is_none" {
  command         = plan
  expect_failures = [var.functions]
  variables {
    functions = { sync-photos = { max_instances = 1 } }
  }
}

run "many_requests_on_half_a_processor" {
  command         = plan
  expect_failures = [var.functions]
  variables {
    functions = { settings = { cpu = "0.5" } }
  }
}

run "memory_without_a_unit" {
  command         = plan
  expect_failures = [var.functions]
  variables {
    functions = { settings = { memory = "512" } }
  }
}

run "a_run_of_an_hour" {
  command         = plan
  expect_failures = [var.functions]
  variables {
    functions = { sync-contacts = { timeout_seconds = 3600 } }
  }
}

run "more_instances_at_least_than_at_most" {
  command         = plan
  expect_failures = [var.functions]
  variables {
    functions = { settings = { min_instances = 20 } }
  }
}

run "a_queue_that_is_none" {
  command         = plan
  expect_failures = [var.queues]
  variables {
    queues = { photos = { per_second = 1 } }
  }
}

run "too_fast_a_queue" {
  command         = plan
  expect_failures = [var.queues]
  variables {
    queues = { contacts = { per_second = 1000 } }
  }
}

run "a_backoff_that_shrinks" {
  command         = plan
  expect_failures = [var.queues]
  variables {
    queues = { contacts = { min_backoff_seconds = 700 } }
  }
}

run "a_rate_of_nothing" {
  command         = plan
  expect_failures = [var.rate_limits]
  variables {
    rate_limits = { sign_ins_per_minute = 0 }
  }
}

run "more_tasks_than_room" {
  command         = plan
  expect_failures = [output.queues]
  variables {
    functions = { sync-contacts = { max_instances = 5 } }
  }
}

run "an_empty_secret" {
  command         = plan
  expect_failures = [var.google_client_secret]
  variables {
    google_client_secret = ""
  }
}

run "a_blank_secret" {
  command         = plan
  expect_failures = [var.creatio_client_secret]
  variables {
    creatio_client_secret = " "
  }
}

run "a_mail_server_without_its_scheme" {
  command         = plan
  expect_failures = [var.notice_smtp]
  variables {
    notice_smtp = "mail.example.com"
  }
}

run "an_unencrypted_webhook" {
  command         = plan
  expect_failures = [var.notice_webhook]
  variables {
    notice_webhook = "http://chat.example.com/hook"
  }
}

run "half_a_version_of_a_notice" {
  command         = plan
  expect_failures = [var.notice_smtp_version, var.notice_webhook_version]
  variables {
    notice_smtp_version    = 0.5
    notice_webhook_version = -1
  }
}

run "thousands_at_a_time" {
  command         = plan
  expect_failures = [var.functions]
  variables {
    functions = { settings = { concurrency = 1001 } }
  }
}

run "three_processors" {
  command         = plan
  expect_failures = [var.functions]
  variables {
    functions = { settings = { cpu = "3" } }
  }
}

run "much_memory_on_one_processor" {
  command         = plan
  expect_failures = [output.functions]
  variables {
    functions = { sync-contacts = { memory = "8Gi" } }
  }
}

run "many_processors_without_memory" {
  command         = plan
  expect_failures = [output.functions]
  variables {
    functions = { settings = { cpu = "8" } }
  }
}

run "a_label_in_capitals" {
  command         = plan
  expect_failures = [var.labels]
  variables {
    labels = { app = "Tandem" }
  }
}

run "a_label_whose_key_is_in_capitals" {
  command         = plan
  expect_failures = [var.labels]
  variables {
    labels = { App = "tandem" }
  }
}

run "documents_across_an_ocean" {
  command         = plan
  expect_failures = [var.firestore_location]
  variables {
    firestore_location = "nam5"
  }
}

run "documents_nowhere" {
  command         = plan
  expect_failures = [var.firestore_location]
  variables {
    firestore_location = "eur9"
  }
}

run "push_to_a_function_that_nobody_may_call" {
  command         = plan
  expect_failures = [var.public]
  variables {
    public = false
  }
}

run "a_policy_by_its_address" {
  command         = plan
  expect_failures = [var.tls_policy]
  variables {
    tls_policy = "projects/acme-tandem/global/sslPolicies/modern"
  }
}
