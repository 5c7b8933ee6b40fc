// souk user ...
#include "tools/souk/client/api_client.h"
#include "tools/souk/client/documents.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

std::string user_path(const Invocation& invocation) {
  return "/v1/users/" + path_segment(invocation.get("user"));
}

std::string profile(const Invocation& invocation) {
  return JsonObject{}
      .optional_text("email", invocation.get("email"))
      .optional_text("name", invocation.get("name"))
      .optional_text("country", invocation.get("country"))
      .done();
}

Outcome<ExitCode> register_user(const Invocation& invocation) {
  return command_and_show(invocation, "POST", "/v1/users", profile(invocation), user_text);
}

Outcome<ExitCode> get_user(const Invocation& invocation) {
  return read_and_show(invocation, user_path(invocation), user_text);
}

Outcome<ExitCode> update_user(const Invocation& invocation) {
  const std::string body = profile(invocation);
  if (body == "{}")
    return Failure{ExitCode::usage, "nothing to change: give --email, --name or --country"};
  return command_and_show(invocation, "PATCH", user_path(invocation), body, user_text);
}

Outcome<ExitCode> erase_user(const Invocation& invocation) {
  return command_and_show(invocation, "DELETE", user_path(invocation), "", [&](const Json&) {
    return "user " + invocation.get("user") + ": erased\n";
  });
}

Outcome<ExitCode> list_orders(const Invocation& invocation) {
  std::string target =
      user_path(invocation) + "/orders?limit=" + path_segment(invocation.get("limit"));
  if (invocation.has("before")) target += "&before=" + path_segment(invocation.get("before"));
  return read_and_show(invocation, target, user_orders_text);
}

}  // namespace

Verbs user_verbs() {
  const Argument user = required("user", "The user's id");
  Verb add{
      .path = "user register",
      .summary = "Register a user",
      .examples = {"souk user register zoe@example.org --name Zoe --country GB"},
      .arguments = {required("email", "One address, one user"), option("name", "The user's name"),
                    option("country", "The user's country")},
      .run = register_user};
  Verb update{.path = "user update",
              .summary = "Change a user's address, name or country",
              .examples = {"souk user update USER --country IE"},
              .arguments = {user, option("email", "The new address"),
                            option("name", "The new name"), option("country", "The new country")},
              .run = update_user};
  Verb erase{.path = "user erase",
             .summary = "Make a user's personal data unreadable for ever",
             .examples = {"souk user erase USER"},
             .arguments = {user},
             .run = erase_user,
             .details = "Amounts and counts stay, so that the books add up. There is no way back."};
  add_command_options(add);
  add_command_options(update);
  add_command_options(erase);
  return {add,
          {.path = "user get",
           .summary = "Show a user",
           .examples = {"souk user get USER"},
           .arguments = {user},
           .run = get_user},
          update,
          erase,
          {.path = "user orders",
           .summary = "List a user's orders, newest first",
           .examples = {"souk user orders USER --limit 5"},
           .arguments = {user, option("limit", "How many, 1 to 100", "20"),
                         option("before", "Only those placed before this order")},
           .run = list_orders}};
}

}  // namespace souk::cli
