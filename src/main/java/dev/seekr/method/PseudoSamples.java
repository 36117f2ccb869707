package dev.seekr.method;

import dev.seekr.config.RunConfig;
import dev.seekr.data.Sample;
import dev.seekr.distributed.Bytes;
import dev.seekr.distributed.Collectives;
import dev.seekr.model.Generator;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Samples of a task that a model makes up: the question is drawn from its top tokens and must end
 * with EOS, the answer to it is decoded greedily. What has no end, has an empty side, was made
 * before, or answers a task of few answers with another one is left out.
 */
final class PseudoSamples {
  /**
   * A task with at most so many different answers, each given twice on average, has a fixed set.
   */
  private static final int LABELS = 64;

  private final RunConfig config;
  private final Generator generator;
  private final int[] lead; // what precedes a question, BOS with it
  private final int bos, eos, questionLength;
  private final Set<Integer> stop;
  private final Set<List<Integer>> labels; // null: answers are free
  private final SplittableRandom random;
  private final Collectives all;

  /** {@code prefix}: ids of the soft prompt that makes samples of the context's task. */
  PseudoSamples(Method method, Method.Context context, int[] prefix, SplittableRandom random) {
    this.config = method.setup().config();
    this.random = random;
    this.all = method.setup().all();
    Sample any = context.samples().getFirst();
    bos = config.data().bos() ? 1 : 0;
    eos = eos(any, method.model().config.eos());
    generator = new Generator(method.model());
    stop = new HashSet<>(method.model().config.eos());
    stop.add(eos);
    lead = join(prefix, Arrays.copyOf(any.tokens(), bos));
    var answers = new HashSet<List<Integer>>();
    int longest = 1;
    for (Sample s : context.samples()) {
      int end = s.token(s.length() - 1) == eos ? s.length() - 1 : s.length();
      answers.add(list(Arrays.copyOfRange(s.tokens(), s.answerStart(), end)));
      longest = Math.max(longest, s.answerStart() - bos);
    }
    questionLength = longest;
    boolean few = answers.size() <= LABELS && 2 * answers.size() <= context.samples().size();
    labels = few ? answers : null;
  }

  /** What ends a sample: its last token, or the model's EOS where its answer is cut. */
  static int eos(Sample s, List<Integer> known) {
    int last = s.token(s.length() - 1);
    return known.isEmpty() || known.contains(last) ? last : known.getFirst();
  }

  /** A sample as it is generated: BOS, x, EOS, y, EOS; all but BOS are targets. */
  static Sample written(Sample s, int bos, int eos) {
    int[] tokens = new int[s.length() + 1];
    System.arraycopy(s.tokens(), 0, tokens, 0, s.answerStart());
    tokens[s.answerStart()] = eos;
    System.arraycopy(
        s.tokens(), s.answerStart(), tokens, s.answerStart() + 1, s.length() - s.answerStart());
    return new Sample(tokens, Math.max(bos, 1));
  }

  /** At most {@code wanted} samples, fewer if tries run out. */
  List<Sample> generate(int wanted) {
    var made = new LinkedHashMap<List<Integer>, Sample>();
    int tries = wanted * config.method().lfpt5().tries();
    while (made.size() < wanted && tries > 0) {
      byte[] mine = {};
      for (int r = 0; r < all.ranks() && tries > 0; r++) { // a batch each, with draws of its own
        int n = Math.min(tries, config.eval().batch());
        tries -= n;
        var draws = random.split();
        if (r == all.rank()) mine = bytes(batch(n, draws));
      }
      for (byte[] batch : all.gather(mine))
        for (Sample s : samples(batch))
          if (made.size() < wanted) made.putIfAbsent(list(s.tokens()), s);
    }
    return List.copyOf(made.values());
  }

  private static byte[] bytes(List<Sample> samples) {
    var arrays = new ArrayList<byte[]>();
    for (Sample s : samples) {
      var ints = ByteBuffer.allocate(4 + 4 * s.length()).putInt(s.answerStart());
      for (int token : s.tokens()) ints.putInt(token);
      arrays.add(ints.array());
    }
    return Bytes.join(arrays);
  }

  private static List<Sample> samples(byte[] bytes) {
    var samples = new ArrayList<Sample>();
    for (byte[] one : Bytes.split(bytes)) {
      var ints = ByteBuffer.wrap(one).asIntBuffer();
      int answerStart = ints.get();
      int[] tokens = new int[ints.remaining()];
      ints.get(tokens);
      samples.add(new Sample(tokens, answerStart));
    }
    return samples;
  }

  private List<Sample> batch(int n, SplittableRandom draws) {
    int k = config.method().lfpt5().topK();
    var asked = generator.sample(copies(lead, n), questionLength + 1, stop, k, draws);
    var questions = new ArrayList<int[]>();
    for (int[] q : asked) if (q.length > 0 && q.length <= questionLength) questions.add(q);
    if (questions.isEmpty()) return List.of();
    int longest = config.data().maxAnswer();
    var answers =
        generator.generate(
            questions.stream().map(q -> join(join(lead, q), eos)).toList(), longest, stop);
    var samples = new ArrayList<Sample>();
    for (int i = 0; i < questions.size(); i++) {
      int[] y = answers.get(i);
      if (y.length == 0 || y.length >= longest) continue;
      if (labels != null && !labels.contains(list(y))) continue;
      int[] x = join(Arrays.copyOfRange(lead, lead.length - bos, lead.length), questions.get(i));
      samples.add(new Sample(join(join(x, y), eos), x.length));
    }
    return samples;
  }

  private static List<int[]> copies(int[] tokens, int n) {
    return java.util.Collections.nCopies(n, tokens);
  }

  private static int[] join(int[] a, int... b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static List<Integer> list(int[] tokens) {
    return Arrays.stream(tokens).boxed().toList();
  }
}
