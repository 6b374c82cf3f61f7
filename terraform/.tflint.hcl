# The rules of Google's cloud-foundation-fabric (its .tflint.hcl,
# https://github.com/GoogleCloudPlatform/cloud-foundation-fabric), and rules for documentation. All are in the ruleset that
# is bundled with tflint, so nothing is downloaded.

plugin "terraform" {
  enabled = true
  preset  = "recommended"
}

# Only root modules set versions; the examples are root modules.
rule "terraform_required_providers" {
  enabled = false
}

rule "terraform_required_version" {
  enabled = false
}

rule "terraform_documented_outputs" {
  enabled = true
}

rule "terraform_documented_variables" {
  enabled = true
}

rule "terraform_comment_syntax" {
  enabled = true
}

rule "terraform_naming_convention" {
  enabled = true
  format  = "snake_case"

  custom_formats = {
    private_snake = {
      description = "snake_case with leading _"
      regex       = "^[_a-z][a-z0-9_]*$"
    }
    kebab = {
      description = "lower kebab case"
      regex       = "^[a-z][a-z0-9-]*$"
    }
  }

  locals {
    format = "private_snake"
  }

  module {
    format = "kebab"
  }

  variable {
    format = "private_snake"
  }
}
