#include <mqtt/server/exchange.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace mqtt::server {
namespace {

/// So much input may make many times as much output.
constexpr std::size_t answered_at_once = 256 * 1024;

/// Each publisher has its own routes: that bounds what they take.
constexpr std::size_t route_receivers_max = 256;

/// For passwords. The loop has a core of its own, where there are several.
std::size_t login_threads() { return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 5) - 1; }

}  // namespace

Exchange::Exchange(net::Loop& loop, const ServerConfig& config, broker::BrokerServices services,
                   ServerEvents& events, SipKey secret, const std::vector<std::unique_ptr<Lanes>>& lanes)
    : loop_{loop},
      events_{events},
      drain_timeout_{config.drain_timeout},
      linger_timeout_{config.linger_timeout},
      stall_timeout_{config.stall_timeout},
      through_(config.listeners.size() + 1),
      broker_{loop.chunks(), config.broker, services, secret},
      lanes_{lanes},
      turn_end_{loop, [this] { at_turn_end(); }},
      workers_{loop, login_threads()},
      timer_{loop, [this] { on_time(); }} {
  turn_end_.request();  // for what the broker waits for already
}

Exchange::~Exchange() = default;

void Exchange::add(std::unique_ptr<net::ByteStream> stream, broker::ConnectionInfo info,
                   std::uint16_t listener) {
  ++counters_.accepted;
  ++counters_.connections;
  ++through_[listener];
  links_.push_back(std::make_unique<Link>(*this, std::move(stream), listener));
  Link& link = *links_.back();
  link.set_place(static_cast<std::uint32_t>(links_.size() - 1));
  link.open(std::move(info));
}

void Exchange::hear(broker::ConnectionInfo info, Bytes packets) {
  struct Nobody final : broker::ConnectionOwner {
    void on_ready() override {}
  } nobody;
  broker::Connection& connection = broker_.open(loop_.now(), nobody, std::move(info));
  broker_.receive(loop_.now(), connection, packets);
  broker_.close(loop_.now(), connection);
  turn_end_.request();  // for commit(), and deadlines that have moved
}

void Exchange::enlist(Link& link) {
  enlisted_.push_back(&link);
  turn_end_.request();
}

void Exchange::on_input(std::size_t size) {
  turn_end_.request();  // for commit(), and deadlines that have moved
  unanswered_bytes_ += size;
  if (unanswered_bytes_ >= answered_at_once) flush();
}

void Exchange::retire(Link& link) {
  --counters_.connections;
  --through_[link.listener()];
  std::erase_if(asks_, [&](const Ask& ask) { return ask.link == &link; });
  const std::uint32_t place = link.place();
  links_.back()->set_place(place);
  std::swap(links_[place], links_.back());
  retired_.push_back(std::move(links_.back()));
  links_.pop_back();
}

void Exchange::at_turn_end() {
  check_logins();
  flush();
  end_rests();
  answer_asks();
  retired_.clear();
  ++turn_;
  if (cut_off_at_ && links_.empty()) return finish();
  set_timer();
}

/// The broker keeps those that wait: who has hung up meanwhile costs no thread any time.
void Exchange::check_logins() {
  while (workers_.has_room()) {
    auto next = broker_.take_auth_work(loop_.now());
    if (!next) return;
    workers_.run([this, ticket = next->ticket, work = std::move(next->work)] {
      return [this, ticket, decision = work()] {
        broker_.decide(loop_.now(), ticket, decision);
        turn_end_.request();
      };
    });
  }
}

/// Settling may enlist links again, with what this commit() was not about: they have to wait for another.
void Exchange::flush() {
  unanswered_bytes_ = 0;
  const bool committed = commit();
  batch_.swap(enlisted_);
  for (Link* link : batch_) committed || !link->has_promised() ? link->write() : link->cut_off();
  for (Link* link : batch_) link->settle();
  batch_.clear();
}

bool Exchange::commit() {
  const auto committed = broker_.commit(loop_.now());
  const Error* const fault = broker_.store_fault();
  if (fault && !store_failed_) events_.on_store_failed(*fault);
  if (!fault && store_failed_) events_.on_store_recovered();
  store_failed_ = fault != nullptr;
  return committed.has_value();
}

void Exchange::ask(Link& link, std::string_view topic) {
  asks_.push_back({&link, std::string{topic}});
  turn_end_.request();
}

/// What was written for the receivers is with their threads before any publisher knows where they are.
void Exchange::answer_asks() {
  std::erase_if(asks_, [](const Ask& ask) { return !ask.link->lane(); });  // it waits no more
  const auto ready = std::ranges::partition(asks_, [](const Ask& ask) { return !ask.link->is_caught_up(); });
  if (ready.empty()) return;
  for (const auto& lanes : lanes_) lanes->thread().hand_over();
  for (const Ask& ask : ready) ask.link->answer(ask.topic);
  asks_.erase(ready.begin(), ready.end());
}

LaneRoutePtr Exchange::find_route(Lane& publisher, broker::Connection& connection, std::string_view topic) {
  const auto found = broker_.find_route(loop_.now(), connection, topic);
  if (!found || found->receivers.size() > route_receivers_max) return nullptr;
  auto route = std::make_shared<LaneRoute>(*found);
  for (const broker::Route::Receiver& receiver : found->receivers) {
    Lane* const its = Link::of(*receiver.owner).quick_lane();
    if (!its) return nullptr;
    route->add(publisher, *its, receiver.version);
  }
  return route;
}

void Exchange::end_rests() {
  for (Link* link : resting_) link->end_rest();
  resting_.clear();
}

void Exchange::set_timer() {
  Deadline next = earlier(broker_.next_deadline(), cut_off_at_);
  if (!deadlines_.empty()) next = earlier(next, deadlines_.begin()->first);
  if (next == timer_set_for_) return;
  timer_set_for_ = next;
  timer_.set(next);
}

void Exchange::on_time() {
  timer_set_for_ = std::nullopt;
  const TimePoint now = loop_.now();
  if (const Deadline next = broker_.next_deadline(); next && *next <= now) broker_.on_time(now);
  for (const auto& [when, link] : deadlines_) {
    if (when > now) break;
    link->give_up();
  }
  if (cut_off_at_ && *cut_off_at_ <= now) give_up_all();
  turn_end_.request();
}

void Exchange::shut_down(std::function<void()> done) {
  turn_end_.request();
  done_ = std::move(done);
  if (cut_off_at_) return give_up_all();
  cut_off_at_ = loop_.refresh_now() + drain_timeout_ + linger_timeout_;
  broker_.shut_down(loop_.now());
}

void Exchange::give_up_all() {
  for (const auto& link : links_) link->give_up();
}

void Exchange::finish() {
  timer_.cancel();
  if (const auto done = std::exchange(done_, nullptr)) done();
}

}  // namespace mqtt::server
