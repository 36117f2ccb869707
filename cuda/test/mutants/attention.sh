# Mutants of the tiled attention kernels: name, tests, file, text, replacement. Read by mutations.sh.

# Copies that were not waited for.
mutate "forward does not wait for keys" attention attention_fwd.cu "cp_async_wait<0>();
      barrier(); // keys" "cp_async_wait<1>();
      barrier(); // keys"
mutate "forward does not wait for values" attention attention_fwd.cu "cp_async_wait<0>();
      barrier(); // values" "cp_async_wait<1>();
      barrier(); // values"
mutate "backward over keys does not wait for values" attention attention_bwd_q.cu "cp_async_wait<0>();
      barrier(); // values" "cp_async_wait<1>();
      barrier(); // values"
mutate "backward over keys does not wait for keys" attention attention_bwd_q.cu "cp_async_wait<0>();
      barrier(); // keys" "cp_async_wait<1>();
      barrier(); // keys"
mutate "backward over queries does not wait for what it holds" attention attention_bwd_kv.cu "cp_async_wait<0>();
      barrier(); // keys" "cp_async_wait<1>();
      barrier(); // keys"
mutate "backward over queries does not wait for its tiles" attention attention_bwd_kv.cu "cp_async_wait<0>();
      barrier(); // the tiles" "cp_async_wait<1>();
      barrier(); // the tiles"
mutate "the difference does not wait for the first model's keys" queries attention_diff.cu "cp_async_wait<0>();
      barrier(); // the first" "cp_async_wait<1>();
      barrier(); // the first"
mutate "the difference does not wait for the second model's keys" queries attention_diff.cu "cp_async_wait<0>();
      barrier(); // and the other" "cp_async_wait<1>();
      barrier(); // and the other"

# Barriers that are missing.
mutate "forward takes keys before all are there" attention attention_fwd.cu "barrier(); // keys are here" "// keys are here"
mutate "forward takes values before all are there" attention attention_fwd.cu "barrier(); // values are here" "// values are here"
mutate "backward over keys takes values before all are there" attention attention_bwd_q.cu "barrier(); // values are here" \
  "// values are here"
mutate "backward over keys takes keys before all are there" attention attention_bwd_q.cu "barrier(); // keys are here" \
  "// keys are here"
mutate "backward over queries holds keys before all are there" attention attention_bwd_kv.cu "barrier(); // keys and values are here" \
  ""
mutate "backward over queries takes tiles before all is there" attention attention_bwd_kv.cu "barrier(); // the tiles are here" \
  "// the tiles are here"
mutate "backward over queries takes probabilities before they are there" attention attention_bwd_kv.cu "barrier(); // A is here" \
  ""
mutate "the difference takes the first model's keys before all are there" queries attention_diff.cu "barrier(); // the first" \
  "// the first"
mutate "the difference takes the second model's keys before all are there" queries attention_diff.cu "barrier(); // and the other" \
  "// and the other"
mutate "a block's sum overwrites the one before" emulator device.cuh "barrier(); // whoever still reads an earlier sum there" ""
mutate "a block's maximum overwrites the one before" emulator device.cuh "v = warp_max(v);
  barrier();" "v = warp_max(v);"
mutate "a block's sum reads warps that have not written" attention device.cuh "if (lane() == 0) room[warp()] = v;
  barrier();
  T sum" "if (lane() == 0) room[warp()] = v;
  T sum"

# Stages: what one half of a kernel overwrites while the other reads it.
mutate "backward over queries overwrites the tiles it uses" attention attention_bwd_kv.cu "load(stage ^ 1, next)" \
  "load(stage, next)"
mutate "backward over queries overwrites the lse it uses" attention attention_bwd_kv.cu "normals[2 * (stage ^ 1) * BQ + thread()]" \
  "normals[2 * stage * BQ + thread()]"
mutate "pairs of warps share their probabilities" attention attention_bwd_kv.cu "warp() % PAIRS * EXCHANGE + lane()" "lane()"

# Fragments.
mutate "A is transposed" attention attention_tile.cuh "ldmatrix(a.r, tile" "ldmatrix_transposed(a.r, tile"
mutate "B is transposed" attention attention_tile.cuh "ldmatrix(r, tile" "ldmatrix_transposed(r, tile"
mutate "B is not transposed" attention attention_tile.cuh "ldmatrix_transposed(r, tile" "ldmatrix(r, tile"
mutate "A of floats has rows and k exchanged" attention attention_tile.cuh "row + g + i / 2 % 2 * 8, k0 + 2 * t + i % 2 + i / 4 * 8" \
  "row + g + i / 4 * 8, k0 + 2 * t + i % 2 + i / 2 % 2 * 8"
mutate "B of floats has columns and k exchanged" attention attention_tile.cuh "n + i / 4 * 8 + g, k0 + 2 * t + i % 2 + i / 2 % 2 * 8" \
  "n + i / 2 % 2 * 8 + g, k0 + 2 * t + i % 2 + i / 4 * 8"
mutate "transposed B of floats has columns and k exchanged" attention attention_tile.cuh "k0 + 2 * t + i % 2 + i / 2 % 2 * 8, n + i / 4 * 8 + g" \
  "k0 + 2 * t + i % 2 + i / 4 * 8, n + i / 2 % 2 * 8 + g"
mutate "A from accumulators has rows and k exchanged" attention attention_tile.cuh "a.r[1] = pack<T>(c0[2], c0[3]);
    a.r[2] = pack<T>(c1[0], c1[1])" "a.r[2] = pack<T>(c0[2], c0[3]);
    a.r[1] = pack<T>(c1[0], c1[1])"
mutate "lanes name rows of B as if they were k" attention attention_tile.cuh "place(lane() % 8 + lane() / 16 * 8, lane() / 8 % 2)" \
  "place(lane() % 16, lane() / 16)"
mutate "a chunk is looked for where it would be without the permutation" attention attention_tile.cuh "at + (place ^ (c & 7) * E)" \
  "at + (place + (c & 7) * E)"

# Edges off by one: which keys a query sees.
mutate "no query sees its own key" attention attention.cuh "i % 2 > 16 * m" "i % 2 >= 16 * m"
mutate "forward does not see its own key" attention attention_fwd.cu "hide<AFTER>(s, j + 2 * t - own - g);" \
  "hide<AFTER>(s, j + 2 * t - own - g + 1);"
mutate "forward sees the next key" attention attention_fwd.cu "hide<AFTER>(s, j + 2 * t - own - g);" \
  "hide<AFTER>(s, j + 2 * t - own - g - 1);"
mutate "forward hides nothing of a warp's last tile" attention attention_fwd.cu "j + BK > own + 1" "j + BK > own + 16"
mutate "backward over keys does not see its own key" attention attention_bwd_q.cu "hide<AFTER>(s, j + 2 * t - own - g);" \
  "hide<AFTER>(s, j + 2 * t - own - g + 1);"
mutate "backward over keys sees the next key" attention attention_bwd_q.cu "hide<AFTER>(s, j + 2 * t - own - g);" \
  "hide<AFTER>(s, j + 2 * t - own - g - 1);"
mutate "backward over keys hides nothing of a warp's last tile" attention attention_bwd_q.cu "j + BK > own + 1" \
  "j + BK > own + 16"
mutate "sensitivity does not see a query's own key" attention attention_bwd_q.cu "hide_gradients<AFTER>(da, mean, j + 2 * t - own - g);" \
  "hide_gradients<AFTER>(da, mean, j + 2 * t - own - g + 1);"
mutate "sensitivity sees the next key" attention attention_bwd_q.cu "hide_gradients<AFTER>(da, mean, j + 2 * t - own - g);" \
  "hide_gradients<AFTER>(da, mean, j + 2 * t - own - g - 1);"
mutate "backward over keys does not distil a query's own key" attention attention_bwd_q.cu "if (key <= position)" \
  "if (key < position)"
mutate "backward over keys distils the next key" attention attention_bwd_q.cu "if (key <= position)" "if (key <= position + 1)"
mutate "backward over queries does not see its own key" attention attention_bwd_kv.cu "ahead - now.first)" \
  "ahead - now.first + 1)"
mutate "backward over queries sees the next key" attention attention_bwd_kv.cu "ahead - now.first)" "ahead - now.first - 1)"
mutate "backward over queries hides nothing of a warp's first tile" attention attention_bwd_kv.cu "own + 16 * MT > now.first + 1" \
  "own + 16 * MT > now.first + 16 * MT"
mutate "backward over queries does not distil a query's own key" attention attention_bwd_kv.cu "if (key <= position)" \
  "if (key < position)"
mutate "backward over queries distils the next key" attention attention_bwd_kv.cu "if (key <= position)" \
  "if (key <= position + 1)"
mutate "the difference does not see the first model's own key" queries attention_diff.cu "hide<AFTER>(A, j + 2 * t - own - g);" \
  "hide<AFTER>(A, j + 2 * t - own - g + 1);"
mutate "the difference sees the second model's next key" queries attention_diff.cu "hide<AFTER>(s, j + 2 * t - own - g);" \
  "hide<AFTER>(s, j + 2 * t - own - g - 1);"

# Edges off by one: rows and columns.
mutate "a tile is loaded with a row too many" attention attention_tile.cuh "from, row < valid" "from, row <= valid"
mutate "a tile is loaded with a row too few" attention attention_tile.cuh "from, row < valid" "from, row < valid - 1"
mutate "a tile is loaded with a chunk too many" attention attention_tile.cuh "c * E < HS ?" "c * E <= HS ?"
mutate "an unaligned tile is loaded with a row too many" attention attention_tile.cuh "row < count && c < HS" \
  "row <= count && c < HS"
mutate "an unaligned tile is loaded with a row too few" attention attention_tile.cuh "row < count && c < HS" \
  "row < count - 1 && c < HS"
mutate "an unaligned tile is loaded with a column too many" attention attention_tile.cuh "row < count && c < HS" \
  "row < count && c <= HS"
mutate "a row too many is stored" attention attention_tile.cuh "row < count && column < HS" "row <= count && column < HS"
mutate "a row too few is stored" attention attention_tile.cuh "row < count && column < HS" "row < count - 1 && column < HS"
mutate "a column too many is stored" attention attention_tile.cuh "row < count && column < HS" "row < count && column <= HS"
mutate "forward stores an lse too many" attention attention_fwd.cu "mine < count" "mine <= count"
mutate "forward stops before a tile's only key" attention attention_fwd.cu "j <= last; j += BK" "j < last; j += BK"
mutate "forward does not load a tile's only key" attention attention_fwd.cu "if (j + BK <= last)" "if (j + BK < last)"
mutate "backward over keys does not load a tile's only value" attention attention_bwd_q.cu "if (j + BK <= last)" \
  "if (j + BK < last)"
mutate "backward over keys leaves out its last query" attention attention_bwd_q.cu "position <= last ? exponent" \
  "position < last ? exponent"
mutate "backward over queries leaves out a tile's only query" attention attention_bwd_kv.cu "now.first + BQ < end ?" \
  "now.first + BQ < end - 1 ?"
mutate "backward over queries goes past the last" attention attention_bwd_kv.cu "position < b.length ? exponent" \
  "position <= b.length ? exponent"
mutate "a sampled query leaves out a last key of 32" attention attention_queries.cu "j <= at.position; j += THREADS) {
      const int count = least(32, at.position + 1 - j);
      const float s = q.dots(keys + j * a.row(), a.row(), count) * a.scale;
      if (lane() >= count) continue;" "j < at.position; j += THREADS) {
      const int count = least(32, at.position + 1 - j);
      const float s = q.dots(keys + j * a.row(), a.row(), count) * a.scale;
      if (lane() >= count) continue;"

# Heads.
mutate "forward takes the keys of another head" attention attention_fwd.cu "kv = h / a.group()" "kv = h % a.NKV"
mutate "backward over keys takes those of another head" attention attention_bwd_q.cu "kv = h / a.group()" "kv = h % a.NKV"
mutate "backward over queries takes those of another head" attention attention_bwd_kv.cu "a.q(p.h)" \
  "a.q(p.h % a.group() * a.NKV + kv)"
mutate "backward over queries takes gradients of another head" attention attention_bwd_kv.cu "a.NH + p.h) * a.HS" \
  "a.NH + p.h % a.group() * a.NKV + kv) * a.HS"
mutate "backward over queries takes the lse of another head" attention attention_bwd_kv.cu "position) * a.NH + p.h;" \
  "position) * a.NH + p.h % a.group() * a.NKV + kv;"
mutate "the difference takes the keys of another head" queries attention_diff.cu "kv = h / a.group()" "kv = h % a.NKV"
mutate "the KL takes the keys of another head" attention attention_queries.cu "a.k(h / a.group());
    const Query q = Query::of(qkv + n * a.row() + a.q(h), a.HS);
    const float* stored" "a.k(h % a.NKV);
    const Query q = Query::of(qkv + n * a.row() + a.q(h), a.HS);
    const float* stored"
mutate "a sampled query's product goes to another key" attention attention_queries.cu "if (lane() == l) mine" "if (lane() == 31 - l) mine"
mutate "a distilled query of the wrong head" attention attention.cuh "index * (position + 1)" "index * position"
mutate "a distilled query with the mean of the wrong head" attention attention.cuh "mean[i * H + index]" "mean[i * H]"
mutate "backward over queries distils the key head's query" attention attention_bwd_kv.cu "x.queries.index(now.h)" "x.queries.index(kv)"

# Sums.
mutate "a block's sum leaves out a warp" attention device.cuh "for (int w = 1; w < THREADS / 32; w++) sum += room[w];" \
  "for (int w = 1; w < THREADS / 32 - 1; w++) sum += room[w];"
mutate "a block's sum is added in the order of arrival" emulator device.cuh "if (lane() == 0) room[warp()] = v;
  barrier();
  T sum = room[0];
  for (int w = 1; w < THREADS / 32; w++) sum += room[w];
  return sum;" "if (thread() == 0) room[0] = 0;
  barrier();
  if (lane() == 0) room[0] += v;
  barrier();
  return room[0];"
mutate "the sum of a row leaves out two lanes" attention attention.cuh "return v + shuffle_xor(v, 2);" "return v;"
mutate "the maximum of a row leaves out two lanes" attention attention.cuh "return larger(v, shuffle_xor(v, 2));" "return v;"
mutate "the last part of a sequence is not added" queries optimizer.cu "i < start[s + 1]; i += THREADS" \
  "i < start[s + 1] - 1; i += THREADS"
mutate "sensitivity is that of the last tile" attention attention_bwd_q.cu "if (sens) squares += double" \
  "if (sens) squares = double"
mutate "sensitivity takes away the delta that it should add" attention attention_bwd_q.cu "da[m][i / 4][i % 4] + mean[m][i % 4 / 2];" \
  "da[m][i / 4][i % 4] - mean[m][i % 4 / 2];"
mutate "the KL is that of a warp's last keys" attention attention_queries.cu "if (P != 0) divergence += double" \
  "if (P != 0) divergence = double"
mutate "the mean of a sampled query is that of a warp's last keys" attention attention_queries.cu "sum += double(A * (P / (A + eps)));" \
  "sum = double(A * (P / (A + eps)));"
mutate "delta is that of one lane" attention attention_bwd.cu "sum = warp_sum(sum);" ""
mutate "backward over queries leaves out a query head" attention attention_bwd_kv.cu "heads = (kv + 1) * a.group()" \
  "heads = (kv + 1) * a.group() - (a.group() > 1)"
mutate "the difference is that of the last tile" queries attention_diff.cu "sum += double(squares);" "sum = double(squares);"

# Maxima that grow from tile to tile.
mutate "the maximum stays that of the first tile" attention attention_fwd.cu "if ((high - top[m][r]) * unit > SLACK) rescale" \
  "if (top[m][r] == -INFINITY) rescale"
mutate "a row's sum is not rescaled" attention attention_fwd.cu "sum *= shrink;" "sum *= 1;"
mutate "every second column is not rescaled" attention attention_fwd.cu "out[n][2 * r] *= shrink, out[n][2 * r + 1] *= shrink;" \
  "out[n][2 * r] *= shrink;"
