# An own domain: certificate, load balancer and rate limits. The path of a function is its name, as without a domain; only
# the public functions can be reached.

locals {
  # The domain's root redirects to the first path.
  start = "/settings"
}

resource "google_compute_global_address" "this" {
  project = var.project
  name    = var.name
  labels  = var.labels
}

resource "google_compute_managed_ssl_certificate" "this" {
  project = var.project
  # A certificate can be neither changed nor removed while a load balancer uses it, so its name contains the domain.
  name = "${var.name}-${substr(sha256(var.domain), 0, 8)}"

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each = toset(var.functions)

  project               = var.project
  region                = var.region
  name                  = "${var.name}-${each.value}"
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = each.value
  }
}

resource "google_compute_security_policy" "this" {
  project = var.project
  name    = var.name

  rule {
    action   = "throttle"
    priority = 1000
    # Signing in and linking: /oauth-callback for Google, /oauth-callback/creatio for Creatio.
    match {
      expr {
        expression = "request.path.startsWith('/oauth-callback') || request.path.startsWith('/settings/link') || request.path.startsWith('/settings/sign-in')"
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"
      rate_limit_threshold {
        count        = var.rate_limits.sign_ins_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    action   = "throttle"
    priority = 2000
    # Everything else.
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"
      rate_limit_threshold {
        count        = var.rate_limits.requests_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    action   = "allow"
    priority = 2147483647
    # The rule that every policy has to end with.
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}

resource "google_compute_backend_service" "function" {
  for_each = toset(var.functions)

  project               = var.project
  name                  = "${var.name}-${each.value}"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  security_policy       = contains(var.unlimited, each.value) ? null : google_compute_security_policy.this.id

  backend {
    group = google_compute_region_network_endpoint_group.function[each.value].id
  }

  # Queries carry the codes of a sign-in, and the load balancer would log them.
  log_config {
    enable = false
  }

  # A team that may not open the functions to everybody puts Identity-Aware Proxy here.
  lifecycle {
    ignore_changes = [iap]
  }
}

resource "google_compute_url_map" "this" {
  project = var.project
  name    = var.name

  default_url_redirect {
    host_redirect  = var.domain
    path_redirect  = local.start
    https_redirect = true
    strip_query    = true
  }

  host_rule {
    hosts        = [var.domain]
    path_matcher = "functions"
  }

  path_matcher {
    name = "functions"

    default_url_redirect {
      path_redirect  = local.start
      https_redirect = true
      strip_query    = true
    }

    dynamic "path_rule" {
      for_each = toset(var.functions)
      content {
        paths   = ["/${path_rule.value}", "/${path_rule.value}/*"]
        service = google_compute_backend_service.function[path_rule.value].id
      }
    }
  }
}

resource "google_compute_target_https_proxy" "this" {
  project          = var.project
  name             = var.name
  url_map          = google_compute_url_map.this.id
  ssl_certificates = [google_compute_managed_ssl_certificate.this.id]
  ssl_policy       = var.tls_policy == null ? null : "projects/${var.project}/global/sslPolicies/${var.tls_policy}"
}

resource "google_compute_global_forwarding_rule" "https" {
  project               = var.project
  name                  = "${var.name}-https"
  labels                = var.labels
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.this.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.this.id
}

resource "google_compute_url_map" "to_https" {
  project = var.project
  name    = "${var.name}-to-https"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }
}

resource "google_compute_target_http_proxy" "to_https" {
  project = var.project
  name    = "${var.name}-to-https"
  url_map = google_compute_url_map.to_https.id
}

resource "google_compute_global_forwarding_rule" "http" {
  project               = var.project
  name                  = "${var.name}-http"
  labels                = var.labels
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.this.id
  port_range            = "80"
  target                = google_compute_target_http_proxy.to_https.id
}
