#include "common/http_page.hpp"

#include <gtest/gtest.h>

namespace {

using namespace mq;

std::string answer_for(std::string_view head) {
  const HttpPage pages[] = {
      {.path = "/metrics", .content_type = "text/x", .make = [] { return std::string{"all\n"}; }},
      {.path = "/",
       .content_type = "text/html",
       .make =
           [] {
             HttpContent content{"not well"};
             content.fine = false;
             return content;
           },
       .fields = "X-Own: 1\r\n"}};
  return answer_to(head, pages);
}

std::string status_of(std::string_view head) {
  const std::string answer = answer_for(head);
  return answer.substr(0, answer.find("\r\n"));
}

TEST(HttpPage, IsThereForGet) {
  EXPECT_EQ(answer_for("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nall\n");
  for (const char* line :
       {"GET /metrics HTTP/1.0", "GET /metrics?a=b HTTP/1.0", "GET http://h:1/metrics HTTP/1.0"})
    EXPECT_EQ(status_of(std::string{line} + "\r\n\r\n"), "HTTP/1.1 200 OK") << line;
}

TEST(HttpPage, HasTheSameHeadForHead) {
  EXPECT_EQ(answer_for("HEAD /metrics HTTP/1.1\r\nHost: h\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 4\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer_for("HEAD / HTTP/1.0\r\n\r\n").ends_with("\r\n\r\n"));
}

TEST(HttpPage, SaysThatItIsNotWell) {
  EXPECT_EQ(answer_for("GET / HTTP/1.0\r\n\r\n"),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nContent-Length: 8\r\nX-Own: 1\r\n"
            "Connection: close\r\n\r\nnot well");
  EXPECT_EQ(status_of("GET http://h HTTP/1.0\r\n\r\n"), "HTTP/1.1 503 Service Unavailable");
}

TEST(HttpPage, IsOneOfAFew) {
  for (const char* target : {"/healthz", "/metrics/", "/METRICS", "http://h/m", "*", "metrics"})
    EXPECT_EQ(status_of("GET " + std::string{target} + " HTTP/1.0\r\n\r\n"), "HTTP/1.1 404 Not Found")
        << target;
}

TEST(HttpPage, CannotBeWritten) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get"})
    EXPECT_EQ(status_of(std::string{method} + " /metrics HTTP/1.0\r\n\r\n"),
              "HTTP/1.1 405 Method Not Allowed");
  EXPECT_TRUE(answer_for("POST /metrics HTTP/1.0\r\n\r\n").contains("\r\nAllow: GET, HEAD\r\n"));
}

TEST(HttpPage, IsNotForWhatIsNoRequest) {
  for (const char* head :
       {"GET /metrics HTTP/1.1", "GET /metrics", "GET", "", "GET  HTTP/1.0", "GET /metrics HTTP/2.0",
        "G:T /metrics HTTP/1.0", "GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b",
        "GET /metrics HTTP/1.1\r\nHost : a", "\x10\x0e\x01\x02MQTT", "GET /metrics HTTP/1.0 x"})
    EXPECT_EQ(status_of(std::string{head} + "\r\n\r\n"), "HTTP/1.1 400 Bad Request") << head;
}

TEST(HttpPage, IsNotForARequestWithoutEnd) {
  EXPECT_EQ(status_of(std::string(http_head_max, 'a')), "HTTP/1.1 431 Request Header Fields Too Large");
}

}  // namespace
