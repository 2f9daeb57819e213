using System.Globalization;

namespace Spillway.Config.Triton;

/// <summary>The queue, batches and timeouts of a config.pbtxt.</summary>
internal sealed class TritonScheduling(string path, ErrorList errors, ErrorList notes)
{
    /// <summary>dynamic_batching.</summary>
    public void Map(ProtoMessage config, ModelTree tree)
    {
        if (config.Message("dynamic_batching") is not { } batching)
            return;
        if (batching.Scalar("max_queue_delay_microseconds") is { } delay)
            tree.Plain(delay.Mark, Milliseconds(delay.Text), "batching", "batchWaitMs");
        Priorities(batching, tree);
        if (batching.Message("default_queue_policy") is { } policy)
            Policy(policy, tree);
    }

    /// <summary>Microseconds as milliseconds, exactly.</summary>
    public static string Milliseconds(string microseconds) =>
        (decimal.Parse(microseconds, CultureInfo.InvariantCulture) / 1000).ToString("0.###",
            CultureInfo.InvariantCulture);

    private void Priorities(ProtoMessage batching, ModelTree tree)
    {
        var levels = batching.Scalar("priority_levels") is { Text: not "0" } written ? written : null;
        if (levels is not null)
            tree.Plain(levels.Mark, levels.Text, "batching", "priorityLevels");
        if (batching.Scalar("default_priority_level") is not { Text: not "0" } level)
            return;
        var middle = levels is not null && ulong.TryParse(levels.Text, out var count) && count < 1000
            ? ((count + 1) / 2).ToString(CultureInfo.InvariantCulture) : "";
        if (level.Text != middle)
        {
            notes.Add(level.Mark, $"{path}.dynamic_batching.default_priority_level", level.Text,
                $"A request without a priority gets the middle level{(middle.Length > 0 ? $", {middle}" : "")}.",
                "Send the parameter priority with the requests that need another.");
        }
    }

    private void Policy(ProtoMessage policy, ModelTree tree)
    {
        var key = $"{path}.dynamic_batching.default_queue_policy";
        var timeout = policy.Scalar("default_timeout_microseconds") is { Text: not "0" } written ? written : null;
        if (timeout is not null)
        {
            // In Triton a request may shorten the default, never lengthen it: that is a default and a maximum here.
            var text = Milliseconds(timeout.Text);
            tree.Plain(timeout.Mark, text, "deadline", "fixedMs");
            tree.Plain(timeout.Mark, text, "deadline", "maxMs");
        }

        if (policy.Scalar("timeout_action") is { Text: "DELAY" } delay)
        {
            if (timeout is null)
            {
                notes.Add(delay.Mark, $"{key}.timeout_action", delay.Text,
                    "Without default_timeout_microseconds it never comes to that.", "Remove the field.");
            }
            else
            {
                errors.Add(delay.Mark, $"{key}.timeout_action", delay.Text,
                    "A request past its timeout is refused here, never served late.",
                    "Write REJECT, or remove default_timeout_microseconds.");
            }
        }

        if (policy.Scalar("max_queue_size") is not { } size)
            return;
        if (size.Text != "0")
        {
            tree.Plain(size.Mark, size.Text, "batching", "queueLengthMax");
            return;
        }

        notes.Add(size.Mark, $"{key}.max_queue_size", size.Text,
            "0 has no limit in Triton; here every queue has one, by default 256 requests.",
            "Write the number of requests that may wait, up to 16384.");
    }
}
