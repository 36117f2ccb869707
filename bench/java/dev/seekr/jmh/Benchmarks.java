package dev.seekr.jmh;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.backends.Backends;
import dev.seekr.bench.Rates;
import dev.seekr.config.RunConfig;
import dev.seekr.ops.Ops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs the benchmarks and writes a line of JSON for each: {@code Benchmarks OUT.jsonl [JMH option…
 * or pattern…]}. The roofline is min(flops, intensity x bandwidth), both measured before the first.
 */
public final class Benchmarks {
  private static final Map<Class<?>, BiFunction<String, Map<String, String>, Work>> WORK =
      Map.of(
          AttentionBench.class, AttentionBench::work,
          NormBench.class, NormBench::work,
          SwigluBench.class, SwigluBench::work,
          LossBench.class, LossBench::work,
          OptimizerBench.class, OptimizerBench::work,
          MatmulBench.class, MatmulBench::work,
          CallBench.class, CallBench::work);

  /** What this machine can do: FLOP/s of matrix products and bytes/s of a pass over memory. */
  private record Machine(double flops, double bandwidth, String cpu, String backend) {
    double roof(Work work) {
      return Math.max(work.flops() / flops, work.bytes() / bandwidth);
    }

    static Machine measured() throws IOException {
      try (Ops ops = Backends.open(RunConfig.DEFAULT.run());
          var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
        String cpu =
            lines
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown");
        return new Machine(Rates.matmul(ops), Rates.bandwidth(ops), cpu, ops.description());
      }
    }
  }

  private Benchmarks() {}

  public static void main(String[] args)
      throws IOException, RunnerException, CommandLineOptionException {
    if (args.length == 0) {
      System.err.println("usage: Benchmarks OUT.jsonl [JMH option… or pattern…]");
      System.exit(64);
    }
    Path out = Path.of(args[0]);
    var machine = Machine.measured();
    var options =
        new OptionsBuilder()
            .parent(new CommandLineOptions(Arrays.copyOfRange(args, 1, args.length)))
            .shouldFailOnError(true);
    for (String multiplier : List.of("amx", "vdpbf16"))
      try (Ops bf16 = Data.bf16(multiplier)) {
        System.out.println("products of bfloat16: " + bf16.description());
      } catch (Failure e) {
        System.out.println("left out: products of bfloat16 (" + e.getMessage() + ")");
        options.exclude("MatmulBench." + multiplier);
      }
    Collection<RunResult> results = new Runner(options.build()).run();
    var lines = new StringBuilder();
    for (RunResult result : results) lines.append(line(result, machine)).append('\n');
    Files.writeString(out, lines);
    System.out.println(results.size() + " results in " + out);
  }

  private static String line(RunResult result, Machine machine) {
    BenchmarkParams benchmark = result.getParams();
    String name = benchmark.getBenchmark();
    int dot = name.lastIndexOf('.');
    String method = name.substring(dot + 1), type = name.substring(0, dot);
    var params = new TreeMap<String, String>();
    for (String key : benchmark.getParamsKeys()) params.put(key, benchmark.getParam(key));
    Work work =
        WORK.entrySet().stream()
            .filter(e -> e.getKey().getName().equals(type))
            .findFirst()
            .orElseThrow()
            .getValue()
            .apply(method, params);
    var statistics = result.getPrimaryResult().getStatistics();
    double scale = benchmark.getTimeUnit().toNanos(1) / 1e9;
    double median = statistics.getPercentile(50) * scale;
    var node = new ObjectMapper().createObjectNode();
    node.put("commit", System.getProperty("seekr.commit", "unknown"));
    node.put("cpu", machine.cpu).put("backend", machine.backend);
    node.put("benchmark", type.substring(type.lastIndexOf('.') + 1) + "." + method);
    params.forEach(node.putObject("params")::put);
    node.put("seconds", median).put("samples", statistics.getN());
    node.put("p25", statistics.getPercentile(25) * scale);
    node.put("p75", statistics.getPercentile(75) * scale);
    node.put("gflops", rounded(work.flops() / median / 1e9));
    node.put("gbytes", rounded(work.bytes() / median / 1e9));
    node.put("roofline_percent", rounded(100 * machine.roof(work) / median));
    return node.toString();
  }

  private static double rounded(double x) {
    return Double.parseDouble(String.format(Locale.ROOT, "%.4g", x));
  }
}
