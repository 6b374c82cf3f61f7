# The source that Cloud Functions builds for one function. It builds the package at the root of the upload. This repository
# has no such package, so one is generated that imports the function, which registers itself. Needs no provider.
#
# Tests, their data, packages for tests (their names end in "test") and the sandbox are left out.

variable "package" {
  description = "Folder of the function under functions/"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*$", var.package))
    error_message = "package has to be the name of a folder under functions/."
  }
}

variable "repo_root" {
  description = "The directory of go.mod"
  type        = string
  nullable    = false
}

locals {
  module = regex("(?m)^module\\s+(\\S+)$", file("${var.repo_root}/go.mod"))[0]
  root = templatefile("${path.module}/root.go.tftpl", {
    module  = local.module
    package = var.package
  })
  found = setunion(
    ["go.mod", "go.sum"],
    fileset(var.repo_root, "functions/${var.package}/**"),
    fileset(var.repo_root, "shared/**"),
  )
  paths = sort([
    for path in local.found : path
    if !endswith(path, "_test.go")
    && !strcontains(path, "/testdata/")
    && !startswith(path, "shared/sandbox/")
    && !can(regex("test/", path))
  ])
}

output "contents" {
  description = "Every file by its path"
  value = merge(
    { "function.go" = local.root },
    { for path in local.paths : path => file("${var.repo_root}/${path}") },
  )

  precondition {
    condition     = length(fileset(var.repo_root, "functions/${var.package}/*.go")) > 0
    error_message = "There is no function functions/${var.package}."
  }
}

output "paths" {
  description = "The files that are taken over as they are"
  value       = local.paths
}

output "root" {
  description = "The package at the root, function.go"
  value       = local.root
}
