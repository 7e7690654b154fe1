// What was answered first to each question of the benchmark `timeseries`, for the others to answer the same.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "bench/timeseries_subject.h"

namespace bench {

class SeriesAnswers {
 public:
  /// Ends the benchmark when the answer differs from the first one: rows in order where they have one, numbers to nine digits.
  void check(const std::string& question, bool ordered, std::string_view subject, AnswerTable answer);

 private:
  struct First {
    std::string subject;
    AnswerTable answer;
  };
  std::map<std::string, First> first_;
};

}  // namespace bench
