#include "connector/postgres/errors.h"

#include <catch2/catch.hpp>
#include <map>

using namespace tidemark;
using namespace tidemark::postgres;

TEST_CASE("a SQLSTATE is told by itself, then by its class, then as internal", "[postgres]") {
  const std::map<std::string, FailureKind> expected{
      {"08006", FailureKind::connect},    {"08P01", FailureKind::internal},
      {"0A000", FailureKind::schema},     {"22001", FailureKind::conversion},
      {"22012", FailureKind::conversion}, {"23502", FailureKind::constraint},
      {"23505", FailureKind::constraint}, {"23999", FailureKind::constraint},
      {"25006", FailureKind::resource},   {"28000", FailureKind::auth},
      {"28P01", FailureKind::auth},       {"3D000", FailureKind::schema},
      {"40001", FailureKind::conflict},   {"40P01", FailureKind::deadlock},
      {"42501", FailureKind::permission}, {"42P01", FailureKind::schema},
      {"42703", FailureKind::schema},     {"42ABC", FailureKind::schema},
      {"53100", FailureKind::resource},   {"53300", FailureKind::resource},
      {"55P03", FailureKind::deadlock},   {"57014", FailureKind::timeout},
      {"57P01", FailureKind::resource},   {"57P03", FailureKind::resource},
      {"58030", FailureKind::resource},   {"99999", FailureKind::internal},
      {"XX000", FailureKind::internal},   {"", FailureKind::internal},
  };
  for (const auto& [state, kind] : expected) {
    CAPTURE(state);
    CHECK(kind_of(state) == kind);
    CHECK_FALSE(describe_state(state).empty());
  }
}

TEST_CASE("a failed login is told apart by its code, not by its words", "[postgres]") {
  // As libpq prints them with verbose errors; the words are in the server's language.
  CHECK(connect_error("connection to server at \"x\" failed: FATAL:  28P01: Passwort falsch", false)
            .kind() == FailureKind::auth);
  CHECK(connect_error("FATAL:  3D000: la base n'existe pas\nLOCATION:  f.c:1", false).kind() ==
        FailureKind::schema);
  CHECK(connect_error("FATAL:  57P03: the database system is starting up", false).kind() ==
        FailureKind::resource);
  CHECK(connect_error("FATAL:  53300: sorry, too many clients already", false).kind() ==
        FailureKind::resource);
  CHECK(connect_error("FATAL:  XX000: something new", false).kind() == FailureKind::connect);
  CHECK(connect_error("fe_sendauth: no password supplied", true).kind() == FailureKind::auth);
  CHECK(connect_error("SSL error: certificate verify failed", false).kind() == FailureKind::tls);
  CHECK(connect_error("server does not support SSL, but SSL was required", false).kind() ==
        FailureKind::tls);
  CHECK(connect_error("root certificate file \"/x\" does not exist", false).kind() ==
        FailureKind::tls);
  CHECK(connect_error("could not connect: Connection refused", false).kind() ==
        FailureKind::connect);
}

TEST_CASE("the row of a COPY is found in any language", "[postgres]") {
  CHECK(row_of_context("COPY t, line 3, column v: \"7\"", "t") == 2U);
  CHECK(row_of_context("COPY t2, Zeile 12", "t2") == 11U);
  CHECK(row_of_context("SQL function \"f\"\nCOPY batch_1, ligne 1, colonne a", "batch_1") == 0U);
  CHECK(row_of_context("COPY other, line 3", "t") == std::nullopt);
  CHECK(row_of_context("COPY t, line 0", "t") == std::nullopt);
  CHECK(row_of_context("COPY t, line 3", "") == std::nullopt);
  CHECK(row_of_context("", "t") == std::nullopt);
}
