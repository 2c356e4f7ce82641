#pragma once

#include <optional>
#include <set>
#include <string>

#include "core/secret.h"
#include "daemon/http/message.h"
#include "observe/metrics.h"

namespace tidemark::http {

/// Decides who may ask for what, before any handler sees the request. Loop thread.
///
/// - Over TCP the Host must be an IP address, localhost or a name of ours, on reads too: a page
/// that
///   rebinds its own name to this machine is same-origin to the browser and sends no Origin.
/// - Writes carry `X-Tidemark: 1` and JSON, which no other site's form or simple request can send,
/// and an Origin, where there is one, is held to the same names.
/// - Writes over TCP need the token; the unix socket's file mode is its own permission.
/// - From another machine everything but metrics and health needs the token.
class Guard {
 public:
  /// `names`: host names beside localhost that mean us.
  Guard(Secret token, std::set<std::string> names);
  /// A reload may change the token.
  void set_token(Secret token) { token_ = std::move(token); }

  /// The answer to give instead of handling the request; nullopt: let it through. `reason` is set
  /// where the caller, and not the form of the call, was the reason.
  std::optional<Response> refuse(const Request& request,
                                 std::optional<observe::AuthFailure>& reason) const;

 private:
  bool host_allowed(const std::string& host) const;
  bool origin_allowed(const std::string& origin) const;
  using Reason = std::optional<observe::AuthFailure>;
  std::optional<Response> refuse_write(const Request& request, Reason& reason) const;
  std::optional<Response> refuse_token(const Request& request, Reason& reason) const;

  Secret token_;
  std::set<std::string> names_;
};

}  // namespace tidemark::http
