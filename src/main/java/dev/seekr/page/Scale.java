package dev.seekr.page;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * An axis: which number lies where, and which are written beside it.
 *
 * @param count whether numbers are whole, as ticks then are
 * @param log whether equal ratios are as far apart
 * @param from where low lies, in the units of the drawing; to: where high does
 */
record Scale(double low, double high, boolean count, boolean log, double from, double to) {
  /** Wanted; there are half as many to twice as many. */
  private static final int TICKS = 5;

  /**
   * Over all values, of none 0 to 1; of counts exactly, of others rounded to whole steps, so that
   * the ends have ticks.
   */
  static Scale of(DoubleStream values, boolean count, double from, double to) {
    var all = values.summaryStatistics();
    double low = all.getCount() == 0 ? 0 : all.getMin();
    double high = all.getCount() == 0 ? 1 : all.getMax();
    if (count) {
      double margin = low == high ? 0.5 : 0;
      return new Scale(low - margin, high + margin, true, false, from, to);
    }
    if (low == high) {
      low = Math.min(0, 2 * low);
      high = high == 0 ? 1 : Math.max(0, 2 * high);
    }
    double step = step(high - low);
    double floor = Math.floor(low / step + 1e-9), ceiling = Math.ceil(high / step - 1e-9);
    return new Scale(step * floor, step * ceiling, false, false, from, to);
  }

  /** From the lowest of some numbers above 0 to the highest, which is another. */
  static Scale log(DoubleStream values, double from, double to) {
    var all = values.summaryStatistics();
    return new Scale(all.getMin(), all.getMax(), false, true, from, to);
  }

  /** 1, 2 or 5 times a power of ten. */
  private static double step(double span) {
    double raw = span / TICKS, power = Math.pow(10, Math.floor(Math.log10(raw)));
    double part = raw / power;
    return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
  }

  double at(double value) {
    double share =
        log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return from + share * (to - from);
  }

  List<Double> ticks() {
    if (log) return powers();
    double step = count ? Math.max(1, step(high - low)) : step(high - low);
    var ticks = new ArrayList<Double>();
    for (double i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
      ticks.add(i * step + 0.0); // no -0
    return ticks;
  }

  /** Powers of ten and, where those are few, 2 and 5 times them. */
  private List<Double> powers() {
    List<Integer> digits = high / low < 1e3 ? List.of(1, 2, 5) : List.of(1);
    var ticks = new ArrayList<Double>();
    for (int p = (int) Math.floor(Math.log10(low)); p <= Math.log10(high) + 1e-9; p++)
      for (int digit : digits) {
        double tick = digit * Math.pow(10, p);
        if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.add(tick);
      }
    return ticks;
  }

  /** Short, with as many digits as tell ticks apart. */
  static String label(double value) {
    double size = Math.abs(value);
    if (size != 0 && (size < 0.01 || size >= 1e5))
      return String.format(Locale.ROOT, "%.1e", value)
          .replace("e-0", "e-")
          .replace("e+0", "e")
          .replace(".0e", "e");
    String text = String.format(Locale.ROOT, size < 10 ? "%.3f" : "%.1f", value);
    return text.replaceAll("\\.?0+$", "").replaceAll("^-0$", "0");
  }
}
