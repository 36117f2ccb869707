package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/**
 * Batched greedy decoding with a key-value cache: prompts are run once, packed; then one token a
 * sequence and step. What a prompt is answered does not depend on the prompts beside it.
 */
public final class Generator {
  private final LlamaModel model;
  private final LlamaConfig config;
  private final Ops ops;

  public Generator(LlamaModel model) {
    this.model = model;
    this.config = model.config;
    this.ops = model.ops();
  }

  /**
   * Answers each prompt (token ids, not empty) with at most maxNew tokens, ending before the first
   * of {@code stop}.
   *
   * @return the new tokens of each prompt, without the stop token
   */
  public List<int[]> generate(List<int[]> prompts, int maxNew, Set<Integer> stop) {
    return decode(prompts, maxNew, stop, Generator::argmax);
  }

  /**
   * As {@link #generate}, but each token is drawn from the k likeliest, in the order of the
   * prompts: the same {@code random} gives the same answers.
   */
  public List<int[]> sample(
      List<int[]> prompts, int maxNew, Set<Integer> stop, int k, RandomGenerator random) {
    return decode(prompts, maxNew, stop, logits -> draw(logits, k, random));
  }

  private List<int[]> decode(
      List<int[]> prompts, int maxNew, Set<Integer> stop, Function<Tensor, int[]> pick) {
    int B = prompts.size();
    int[] lengths = prompts.stream().mapToInt(p -> p.length).toArray();
    int T = Arrays.stream(lengths).max().orElse(0) + maxNew;
    List<int[]> answers = new ArrayList<>();
    try (var memory = new Memory("generation")) {
      var cache = new Cache(memory, B, T);
      Tensor logits = memory.allocate("logits", DType.F32, B, config.V());
      prefill(prompts, cache, logits);
      int[][] out = new int[B][maxNew];
      int[] count = new int[B];
      boolean[] done = new boolean[B];
      for (int step = 0; step < maxNew; step++) {
        int[] next = pick.apply(logits);
        for (int b = 0; b < B; b++) {
          done[b] |= stop.contains(next[b]);
          if (!done[b]) out[b][count[b]++] = next[b];
        }
        if (step + 1 == maxNew || allTrue(done)) break;
        decode(next, lengths, cache, logits);
        for (int b = 0; b < B; b++) lengths[b]++;
      }
      for (int b = 0; b < B; b++) answers.add(Arrays.copyOf(out[b], count[b]));
    }
    return answers;
  }

  /** Keys and values of all layers, each [B,NKV,T,HS]. */
  private final class Cache {
    final Tensor[] k = new Tensor[config.L()], v = new Tensor[config.L()];
    final Tensor lengths;
    final int T;

    Cache(Memory memory, int B, int T) {
      this.T = T;
      var heads = config.heads();
      lengths = memory.allocate("cache", DType.I32, B);
      for (int l = 0; l < k.length; l++) {
        k[l] = ops.allocate(memory, "cache", B, heads.NKV(), T, heads.HS());
        v[l] = ops.allocate(memory, "cache", B, heads.NKV(), T, heads.HS());
      }
    }
  }

  private void prefill(List<int[]> prompts, Cache cache, Tensor logits) {
    int B = prompts.size();
    int[] cu = new int[B + 1], last = new int[B];
    for (int b = 0; b < B; b++) {
      cu[b + 1] = cu[b] + prompts.get(b).length;
      last[b] = cu[b + 1] - 1;
    }
    int[] tokens = new int[cu[B]], positions = new int[cu[B]];
    for (int b = 0; b < B; b++) {
      for (int t = 0; t < prompts.get(b).length; t++) {
        tokens[cu[b] + t] = prompts.get(b)[t];
        positions[cu[b] + t] = t;
      }
    }
    int NH = config.heads().NH(), NKV = config.heads().NKV(), HS = config.heads().HS();
    model.begin(tokens, positions, cu, false);
    try (var memory = new Memory("prefill")) {
      Tensor keys = sources(memory, cu, cache.T, NH);
      Tensor values = sources(memory, cu, cache.T, NH + NKV);
      for (int l = 0; l < config.L(); l++) {
        model.forwardLayer(l);
        ops.embeddingForward(rows(cache.k[l], HS), keys, rows(model.qkv(l), HS));
        ops.embeddingForward(rows(cache.v[l], HS), values, rows(model.qkv(l), HS));
      }
    }
    model.finish();
    model.logits(logits, last);
  }

  /**
   * Where the rows [B,NKV,T] of a cache come from: of packed rows of qkv, seen as [N (NH+2NKV),
   * HS], head {@code first} (the first key's, or the first value's) and those after it; -1 where
   * the cache is still empty.
   */
  private Tensor sources(Memory memory, int[] cu, int T, int first) {
    var heads = config.heads();
    int[] from = new int[(cu.length - 1) * heads.NKV() * T];
    Arrays.fill(from, -1);
    for (int b = 0, row = 0; b + 1 < cu.length; b++) {
      for (int g = 0; g < heads.NKV(); g++, row += T) {
        for (int t = cu[b]; t < cu[b + 1]; t++)
          from[row + t - cu[b]] = t * (heads.NH() + 2 * heads.NKV()) + first + g;
      }
    }
    Tensor t = memory.allocate("cache", DType.I32, from.length);
    t.copyFrom(from);
    return t;
  }

  private static Tensor rows(Tensor t, int HS) {
    return t.view(0, t.size() / HS, HS);
  }

  private void decode(int[] tokens, int[] lengths, Cache cache, Tensor logits) {
    int B = tokens.length;
    int[] each = new int[B + 1];
    Arrays.setAll(each, b -> b);
    cache.lengths.copyFrom(lengths);
    model.begin(tokens, lengths, each, false);
    var acts = model.activations();
    for (int l = 0; l < config.L(); l++) {
      model.attentionInput(l);
      ops.attentionDecode(
          acts.layers[l].o(),
          cache.k[l],
          cache.v[l],
          acts.layers[l].qkv(),
          cache.lengths,
          config.heads());
      model.attentionOutput(l);
    }
    model.finish();
    model.logits(logits, Arrays.copyOf(each, B));
  }

  private static int[] argmax(Tensor logits) {
    int B = (int) logits.dim(0), V = (int) logits.dim(1);
    int[] best = new int[B];
    float[] z = finite(logits);
    for (int b = 0; b < B; b++) {
      int arg = 0;
      for (int i = 1; i < V; i++) if (z[b * V + i] > z[b * V + arg]) arg = i;
      best[b] = arg;
    }
    return best;
  }

  private static float[] finite(Tensor logits) {
    float[] z = logits.toFloats();
    if (!Finite.all(z)) throw new NotFinite();
    return z;
  }

  /** A token of each row [V], with the softmax over its k largest logits. */
  private static int[] draw(Tensor logits, int k, RandomGenerator random) {
    int B = (int) logits.dim(0), V = (int) logits.dim(1);
    float[] z = finite(logits);
    int[] drawn = new int[B];
    for (int b = 0; b < B; b++) {
      int row = b * V;
      int[] top = largest(z, row, V, k);
      double[] p =
          Arrays.stream(top).mapToDouble(i -> Math.exp(z[row + i] - z[row + top[0]])).toArray();
      double left = random.nextDouble() * Arrays.stream(p).sum();
      int at = 0;
      while (at < p.length - 1 && left >= p[at]) left -= p[at++];
      drawn[b] = top[at];
    }
    return drawn;
  }

  /** Where the k largest of z[row] to z[row + V - 1] are, largest first, counted from row. */
  private static int[] largest(float[] z, int row, int V, int k) {
    int[] top = new int[Math.min(k, V)];
    int n = 0;
    for (int i = 0; i < V; i++) {
      if (n == top.length && z[row + i] <= z[row + top[n - 1]]) continue;
      int at = n < top.length ? n++ : n - 1;
      for (; at > 0 && z[row + i] > z[row + top[at - 1]]; at--) top[at] = top[at - 1];
      top[at] = i;
    }
    return top;
  }

  private static boolean allTrue(boolean[] flags) {
    for (boolean f : flags) if (!f) return false;
    return true;
  }
}
