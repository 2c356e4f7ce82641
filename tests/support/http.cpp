#include "support/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <sstream>

namespace tidemark::test {
namespace {

/// A connected socket, or -1.
int connect_to(const HttpAddress& server) {
  const int handle =
      ::socket(server.socket.empty() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval limit{.tv_sec = 20, .tv_usec = 0};
  setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  int result = -1;
  if (server.socket.empty()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    result = connect(handle, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  } else {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, server.socket.c_str(), sizeof(address.sun_path) - 1);
    result = connect(handle, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  }
  if (result == 0) return handle;
  close(handle);
  return -1;
}

HttpAnswer parse(const std::string& text) {
  HttpAnswer answer;
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  answer.body = text.substr(end + 4);
  std::istringstream lines(text.substr(0, end));
  std::string line;
  std::getline(lines, line);
  answer.status = static_cast<unsigned>(std::stoul(line.substr(9)));
  while (std::getline(lines, line)) {
    const std::size_t colon = line.find(':');
    std::string name = line.substr(0, colon), value = line.substr(colon + 2);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    if (!value.empty() && value.back() == '\r') value.pop_back();
    answer.headers[name] = value;
  }
  return answer;
}

}  // namespace

std::string exchange(const HttpAddress& server, const std::string& bytes) {
  const int handle = connect_to(server);
  if (handle < 0) return {};
  (void)!send(handle, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  std::string answer;
  char buffer[4096];
  for (ssize_t got = 0; (got = recv(handle, buffer, sizeof(buffer), 0)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(got));
  close(handle);
  return answer;
}

HttpAnswer http(const HttpAddress& server, const std::string& method, const std::string& target,
                const std::map<std::string, std::string>& headers, const std::string& body) {
  std::string request = method + " " + target + " HTTP/1.1\r\nConnection: close\r\n";
  if (headers.count("Host") == 0) request += "Host: localhost\r\n";
  for (const auto& [name, value] : headers)
    request += name + ": " + value + "\r\n";
  if (method == "POST") request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return parse(exchange(server, request + "\r\n" + body));
}

}  // namespace tidemark::test
