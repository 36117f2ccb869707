// Sampled queries for attention's tests: every third position of every sequence, in every second head.
#ifndef SEEKR_TEST_QUERIES_H
#define SEEKR_TEST_QUERIES_H
#include "../../native/test/check.h"
#include "device.h"
#include "shape.h"

struct Sampled {
  std::vector<int32_t> heads, start{0}, pos;
  std::vector<int64_t> prefix, token;
  std::vector<float> weight, p; // p: 0 outside the window
  int64_t entries = 0;          // of p, in one head

  Sampled(const Shape& a, Random& random) {
    for (int32_t h = 0; h < a.NH; h += 2) heads.push_back(h);
    for (int64_t s = 0; s < a.S(); s++) {
      for (int32_t t = 0; t < a.cu[s + 1] - a.cu[s]; t += 3) {
        pos.push_back(t), token.push_back(a.cu[s] + t), prefix.push_back(entries), entries += t + 1;
        weight.push_back(float(0.1 + random.uniform()));
        for (size_t h = 0; h < heads.size(); h++) add_row(a, t, random);
      }
      start.push_back(int32_t(pos.size()));
    }
  }
  int64_t H() const { return int64_t(heads.size()); }
  int64_t R() const { return int64_t(pos.size()); }
  sk_queries on(const OnDevice<float>& weights, const OnDevice<float>& rows) const {
    return {H(), heads.data(), start.data(), pos.data(), prefix.data(), weights.f(), rows.f()};
  }

private:
  void add_row(const Shape& a, int32_t t, Random& random) {
    std::vector<double> row(size_t(t) + 1);
    double sum = 0;
    for (int64_t j = a.first(t); j <= t; j++) sum += row[size_t(j)] = std::exp(random.normal());
    for (double x : row) p.push_back(float(x / sum));
  }
};

#endif
