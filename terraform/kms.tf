# The key that seals tokens. Without it every user has to link both accounts again, so Terraform never destroys a version of
# it: with deletion protection it refuses, without it only removes the key from its state.

# Google deletes no key ring, and blocks the name of a deleted queue for days. A deployment that follows a destroy gets other
# names by this suffix, which is kept in the state; one that has names without a suffix keeps them.
resource "random_id" "suffix" {
  byte_length = 3
}

resource "google_kms_key_ring" "this" {
  project  = var.project
  name     = "${var.name}-${random_id.suffix.hex}"
  location = var.region

  depends_on = [google_project_service.this]

  lifecycle {
    ignore_changes = [name]
  }
}

resource "google_kms_crypto_key" "tokens" {
  key_ring                   = google_kms_key_ring.this.id
  name                       = "tokens"
  labels                     = var.labels
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = "${var.key_rotation_days * 86400}s"
  destroy_scheduled_duration = "2592000s"
  deletion_policy            = var.deletion_protection ? "PREVENT" : "ABANDON"
}
