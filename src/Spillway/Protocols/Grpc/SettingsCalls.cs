using Spillway.Protocols.Access;
using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Spillway.Protocols.Admin;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// TraceSetting and LogSettings: a request with settings changes those, and every answer has all. The maps are turned
/// into the JSON of the REST calls and back, so that one set of rules judges both.
/// </summary>
internal sealed class SettingsCalls(ServerContext server)
{
    /// <summary>Offers its calls.</summary>
    public void AddTo(Dictionary<string, PlainCall> calls)
    {
        calls.Add("TraceSetting", Trace);
        calls.Add("LogSettings", Log);
    }

    private ValueTask<Fault?> Trace(ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation)
    {
        var control = server.Recorder.Tracing;
        if (ReadModel(message.Span, out var model) is { } broken)
            return new(broken);
        if (!model.IsEmpty)
        {
            if (!InferTranslation.Find(server.Serving, model, default).TryGet(out var door, out var unknown))
                return new(unknown);
            control = server.Recorder.Instruments(door).Tracing;
        }

        var fault = Change(
            message.Span, isLog: false, body => Audited(
                "settings.trace", body, () => TraceSettings.Change(body, control, server.Recorder.Tracing)));
        if (fault is null)
            Answer(into, isLog: false, json => TraceSettings.Write(control.Setting, json));
        return new(fault);
    }

    private ValueTask<Fault?> Log(ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation)
    {
        var fault = Change(message.Span, isLog: true,
            body => Audited("settings.log", body, () => LogSettings.Change(body, server.Log)));
        if (fault is null)
            Answer(into, isLog: true, json => LogSettings.Write(server.Log.Setting, json));
        return new(fault);
    }

    /// <summary>A message without settings only asks, and changes nothing.</summary>
    private Fault? Audited(string action, JsonElement body, Func<Fault?> change) => body.EnumerateObject().Any()
        ? server.AuditedChange(Administrator.Present, action, "server", change)
        : change();

    private static Fault? ReadModel(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> model)
    {
        model = [];
        var wire = new WireReader(message);
        while (wire.Next(out var field))
        {
            if (field == 2)
                model = wire.Bytes();
            else
                wire.Skip();
        }

        return wire.Failed ? GrpcFaults.Broken("TraceSettingRequest", wire) : null;
    }

    /// <summary>The settings of a message as a JSON object, given to whoever knows the rules.</summary>
    private static Fault? Change(ReadOnlySpan<byte> message, bool isLog, Func<JsonElement, Fault?> change)
    {
        if (message.Length > SmallBody.BytesMax)
        {
            return new(FaultKind.InputTooLarge, $"Settings have more than {SmallBody.BytesMax:N0} bytes. Send only those "
                + "that change.");
        }

        var body = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            var wire = new WireReader(message);
            while (wire.Next(out var field))
            {
                if (field != 1)
                    wire.Skip();
                else if (ReadEntry(wire.Bytes(), isLog, json) is { } fault)
                    return fault;
            }

            if (wire.Failed)
                return GrpcFaults.Broken("the request", wire);
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(body.WrittenMemory);
        return change(document.RootElement);
    }

    /// <summary>An entry of map&lt;string, SettingValue&gt;.</summary>
    private static Fault? ReadEntry(ReadOnlySpan<byte> entry, bool isLog, Utf8JsonWriter into)
    {
        var wire = new WireReader(entry);
        if (!wire.Entry(out var key, out var value) || !Utf8.IsValid(key))
            return GrpcFaults.Broken("a setting", wire);
        into.WritePropertyName(key);
        return isLog ? ReadChoice(value, into) : ReadList(value, into);
    }

    /// <summary>A list of texts; none clears the setting, one stands for itself.</summary>
    private static Fault? ReadList(ReadOnlySpan<byte> value, Utf8JsonWriter into)
    {
        List<string> texts = [];
        var wire = new WireReader(value);
        while (wire.Next(out var field))
        {
            if (field == 1)
                texts.Add(System.Text.Encoding.UTF8.GetString(wire.Bytes()));
            else
                wire.Skip();
        }

        if (wire.Failed)
            return GrpcFaults.Broken("a setting", wire);
        if (texts.Count == 0)
        {
            into.WriteNullValue();
            return null;
        }

        into.WriteStartArray();
        foreach (var text in texts)
            into.WriteStringValue(text);
        into.WriteEndArray();
        return null;
    }

    /// <summary>A bool, a number or a text.</summary>
    private static Fault? ReadChoice(ReadOnlySpan<byte> value, Utf8JsonWriter into)
    {
        (int Choice, ulong Number, string Text) chosen = (0, 0, "");
        var wire = new WireReader(value);
        while (wire.Next(out var field))
        {
            if (field is 1 or 2)
                chosen = (field, wire.Whole(), "");
            else if (field == 3)
                chosen = (field, 0, System.Text.Encoding.UTF8.GetString(wire.Bytes()));
            else
                wire.Skip();
        }

        if (wire.Failed)
            return GrpcFaults.Broken("a setting", wire);
        if (chosen.Choice == 1)
            into.WriteBooleanValue(chosen.Number != 0);
        else if (chosen.Choice == 2)
            into.WriteNumberValue(chosen.Number);
        else if (chosen.Choice == 3)
            into.WriteStringValue(chosen.Text);
        else
            into.WriteNullValue();
        return null;
    }

    /// <summary>The members of a JSON object as map&lt;string, SettingValue&gt;.</summary>
    private static void Answer(WireBuffer into, bool isLog, Action<IBufferWriter<byte>> write)
    {
        var body = new ArrayBufferWriter<byte>(256);
        write(body);
        using var document = JsonDocument.Parse(body.WrittenMemory);
        foreach (var member in document.RootElement.EnumerateObject())
        {
            var entry = into.Begin(1);
            into.Text(1, member.Name);
            var value = into.Begin(2);
            if (member.Value.ValueKind is JsonValueKind.True or JsonValueKind.False)
                into.Chosen(1, member.Value.GetBoolean() ? 1u : 0u);
            else if (member.Value.ValueKind is JsonValueKind.Number)
                into.Chosen(2, member.Value.GetUInt32());
            else if (member.Value.ValueKind is JsonValueKind.Array)
                Texts(into, member.Value);
            else
                into.Text(isLog ? 3 : 1, member.Value.GetString(), always: true);
            into.End(value);
            into.End(entry);
        }
    }

    private static void Texts(WireBuffer into, JsonElement list)
    {
        foreach (var text in list.EnumerateArray())
            into.Text(1, text.GetString(), always: true);
    }
}
