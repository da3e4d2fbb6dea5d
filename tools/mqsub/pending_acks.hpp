#pragma once
#include "messages/pending_acks.hpp"
