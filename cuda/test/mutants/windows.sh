# Mutants of what attention's window, scale, KL and sensitivity ask for, and of the kernels of sampled queries.

# Blocks of keys and of queries that nobody sees.
mutate "forward begins at a sequence's first key" attention attention_fwd.cu "begin = a.first_key(b.first)" "begin = 0"
mutate "backward over keys begins at a sequence's first key" attention attention_bwd_q.cu "begin = a.first_key(b.first)" "begin = 0"
mutate "backward over queries ends at a sequence's last query" attention attention_bwd_kv.cu \
  "b.length - last <= window ? b.length : last + window" "b.length"
mutate "backward over queries ends before the last that sees a key" attention attention_bwd_kv.cu ": last + window;" \
  ": last + window - 1;"
mutate "the difference begins at a sequence's first key" queries attention_diff.cu "begin = a.first_key(b.first)" "begin = 0"
mutate "a window is a key too narrow" attention attention.cuh "int(this->window) + 1" "int(this->window) + 2"
mutate "a captured query reads keys that have left" queries attention_queries.cu "const int first = a.first_key(at.position);" \
  "const int first = 0;"
mutate "the KL reads keys that have left" queries attention_queries.cu "for (int j = a.first_key(at.position) + 32 * warp(); j <= at.position;
    j += THREADS) { const int count = least(32, at.position + 1 - j); const float s" "for (int j = 32 * warp(); j <= at.position;
    j += THREADS) { const int count = least(32, at.position + 1 - j); const float s"
mutate "the difference of queries reads keys that have left" queries attention_queries.cu "for (int j = a.first_key(at.position) + 32 * warp();
    j <= at.position; j += THREADS) { const int count = least(32, at.position + 1 - j); float A" "for (int j = 32 * warp();
    j <= at.position; j += THREADS) { const int count = least(32, at.position + 1 - j); float A"

# Keys of a tile that some queries do not see.
for side in "+ window + 1" "+ window - 1"; do
  mutate "forward's window begins at $side" attention attention_fwd.cu "own - g + window)" "own - g $side)"
  mutate "backward over keys has a window at $side" attention attention_bwd_q.cu "hide<BEFORE>(s, j + 2 * t - own - g + window)" \
    "hide<BEFORE>(s, j + 2 * t - own - g $side)"
  mutate "sensitivity has a window at $side" attention attention_bwd_q.cu "mean, j + 2 * t - own - g + window)" \
    "mean, j + 2 * t - own - g $side)"
  mutate "backward over queries has a window at $side" attention attention_bwd_kv.cu "ahead - now.first + window)" \
    "ahead - now.first $side)"
  mutate "the first model's window is at $side" queries attention_diff.cu "hide<BEFORE>(A, j + 2 * t - own - g + window)" \
    "hide<BEFORE>(A, j + 2 * t - own - g $side)"
  mutate "the second model's window is at $side" queries attention_diff.cu "hide<BEFORE>(s, j + 2 * t - own - g + window)" \
    "hide<BEFORE>(s, j + 2 * t - own - g $side)"
done
mutate "forward hides nothing of a warp's first tile" attention attention_fwd.cu "own + 16 * MT - window > j" "own - window > j"
mutate "backward over keys hides nothing of a warp's first tile" attention attention_bwd_q.cu "own + 16 * MT - window > j" \
  "own - window > j"
mutate "backward over queries hides nothing of a warp's last tile" attention attention_bwd_kv.cu "now.first + BQ - window > own" \
  "now.first - window > own"
mutate "the difference hides nothing of a warp's first tile" queries attention_diff.cu "own + 16 * MT - window > j" \
  "own - window > j"
mutate "a row that has seen no key yet has no sum" attention attention_fwd.cu "top[m][r] == -INFINITY ? 0 : top[m][r] * unit" \
  "top[m][r] * unit"
mutate "a window of 0 is none at all" attention attention_launch.h "x.window = window_of(a.window);" ""
mutate "a scale of 0 makes NaN of what is hidden" attention attention_launch.h "x.scale = most(a.scale, FLT_MIN);" ""
mutate "captured rows keep what was there before the window" queries attention_queries.cu \
  "for (int j = thread(); j < first; j += THREADS) out[j] = 0;" ""

# Sampled queries.
mutate "captured rows of heads lie one behind the other" queries attention_queries.cu "queries.H * at.prefix" "at.prefix"
mutate "captured rows are of the first heads" queries attention_queries.cu "h = queries.heads[block_y()], n = at.begin + at.position;
    const T *qkv = as<T>(a.qkv), *keys = qkv + at.begin * a.row() + a.k(h / a.group());
    const Query q = Query::of(qkv + n * a.row() + a.q(h), a.HS);
    float* out" "h = block_y(), n = at.begin + at.position;
    const T *qkv = as<T>(a.qkv), *keys = qkv + at.begin * a.row() + a.k(h / a.group());
    const Query q = Query::of(qkv + n * a.row() + a.q(h), a.HS);
    float* out"
mutate "differences of queries are not weighted" queries attention_queries.cu "sum * double(weight[block_x()])" "sum"
mutate "both models have the first one's lse" queries attention_queries.cu "x.lse2[n * a.NH + h]}" "a.lse[n * a.NH + h]}"
mutate "queries are all of the first sequence" queries attention_queries.cu "{of.cu_seqlens[s], q.pos[i]" "{0, q.pos[i]"

# The KL in the pass over keys, and the sensitivity's parts.
mutate "the KL without eps is that of the last tile" attention attention_bwd_q.cu "whole = first ? double(sum) : whole + double(sum);" \
  "whole = double(sum);"
mutate "the KL without eps begins with what was there" attention attention_bwd_q.cu \
  "whole = first ? double(sum) : whole + double(sum);" "whole += double(sum);"
mutate "the KL without eps does not see a query's own key" attention attention_bwd_q.cu "key <= position ? p[key]" \
  "key < position ? p[key]"
mutate "the KL without eps is that of one lane" attention attention_bwd_q.cu "sum = row_sum(sum);" ""
mutate "the KL without eps counts powers of 2" attention attention_bwd_q.cu "natural<T>(s[r / 2][n][e]" "(s[r / 2][n][e]"
mutate "the KL without eps takes the logarithm of 0" attention attention_bwd_q.cu "if (P != 0) sum +=" "sum +="
mutate "the KL without eps of all heads goes to one" attention attention_bwd_q.cu "kl[query * x.queries.H + index]" "kl[query * x.queries.H]"
mutate "the KL without eps has a kernel of its own" attention attention_bwd.cu "beforehand = RH > 0 && a->eps > 0" "beforehand = RH > 0"
mutate "the last block's sensitivity is not added" attention attention_bwd.cu "b < first_blocks[s + 1]; b++" \
  "b < first_blocks[s + 1] - 1; b++"
mutate "a sequence's sensitivity is added to the next" attention attention_bwd.cu "sum += x[size_t(b * NH + h)]" \
  "sum += x[size_t((b - first_blocks[s]) * NH + h)]"

# Decode.
mutate "decode does not see the new key" decode attention_decode.cu "j <= n; j += WARPS" "j < n; j += WARPS"
mutate "decode reads keys that have left" decode attention_decode.cu "a.first_key(int(n)) + warp()" "warp()"
mutate "decode has a window a key too narrow" decode attention_decode.cu "a.first_key(int(n)) + warp()" "a.first_key(int(n)) + 1 + warp()"
mutate "decode does not scale" decode attention_decode.cu "+ i]) * a.scale : 0" "+ i]) : 0"
mutate "decode looks for the new key in the cache" decode attention_decode.cu "*k = j < n ? keys + j * a.HS : token + a.k(kv)" \
  "*k = keys + j * a.HS"
mutate "decode takes the keys of another head" decode attention_decode.cu "kv = h / a.group()" "kv = h % a.NKV"
mutate "decode caches the first head's key" decode attention_decode.cu "token[a.k(kv) + i];" "token[a.k(0) + i];"
mutate "decode caches no values" decode attention_decode.cu "values[n * a.HS + i] = token[a.v(kv) + i];" ""
mutate "decode caches at the end" decode attention_decode.cu "keys[n * a.HS + i] =" "keys[(a.T - 1) * a.HS + i] ="
mutate "decode joins warps as if they had one maximum" decode attention_decode.cu "total += sums[w] * exact_exp(tops[w] - high);" \
  "total += sums[w];"
mutate "decode does not rescale its sum" decode attention_decode.cu "sum = sum * shrink + weight;" "sum = sum + weight;"
mutate "decode does not rescale what it collects" decode attention_decode.cu "out[e] = out[e] * shrink + weight" "out[e] = out[e] + weight"
mutate "decode joins warps before all are there" decode attention_decode.cu "barrier();" ""
mutate "decode has no window of 0" decode attention_decode.cu "x.window = window_of(a->window);" ""
