# The source that Cloud Functions builds. Needs no provider.

variables {
  repo_root = ".."
  package   = "settings"
}

run "one_function_and_what_it_stands_on" {
  command = plan

  module {
    source = "./modules/bundle"
  }

  assert {
    condition     = contains(output.paths, "go.mod") && contains(output.paths, "go.sum") && contains(output.paths, "functions/settings/function.go") && contains(output.paths, "shared/web/templates/layout.html")
    error_message = "Something that the function needs is missing."
  }
  assert {
    condition     = length([for path in output.paths : path if startswith(path, "functions/") && !startswith(path, "functions/settings/")]) == 0
    error_message = "The bundle holds another function."
  }
  assert {
    condition     = length([for path in output.paths : path if endswith(path, "_test.go") || strcontains(path, "/testdata/") || startswith(path, "shared/sandbox/") || strcontains(path, "storetest")]) == 0
    error_message = "The bundle holds what is for tests."
  }

  # Cloud Functions builds one package at the root, which has to import the framework itself.
  assert {
    condition     = length([for path in keys(output.contents) : path if endswith(path, ".go") && !strcontains(path, "/")]) == 1
    error_message = "There is not exactly one file at the root."
  }
  assert {
    condition     = strcontains(output.root, "\"github.com/GoogleCloudPlatform/functions-framework-go/functions\"") && strcontains(output.root, "\"github.com/tandem-sync/tandem/functions/settings\"")
    error_message = "The root does not import the framework and the function."
  }
}

run "a_function_that_is_none" {
  command = plan

  module {
    source = "./modules/bundle"
  }

  variables {
    package = "photos"
  }

  expect_failures = [output.contents]
}
