using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace Spillway.Tests.Architecture;

/// <summary>Finds every metadata token in a method body: what it calls, makes, reads, casts to and loads.</summary>
internal static class IlTokens
{
    private const int TwoBytePrefix = 0xFE;

    private static readonly Dictionary<ushort, OperandType> s_operands = typeof(OpCodes).GetFields()
        .Select(field => field.GetValue(null)).OfType<OpCode>()
        .ToDictionary(code => unchecked((ushort)code.Value), code => code.OperandType);

    /// <summary>The tokens in the order of the instructions; strings are left out.</summary>
    public static List<EntityHandle> Of(BlobReader il)
    {
        var tokens = new List<EntityHandle>();
        while (il.RemainingBytes > 0)
        {
            int code = il.ReadByte();
            if (code == TwoBytePrefix)
                code = (code << 8) | il.ReadByte();
            var operand = s_operands[(ushort)code];
            if (operand is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok
                or OperandType.InlineType or OperandType.InlineSig)
            {
                tokens.Add(MetadataTokens.EntityHandle(il.ReadInt32()));
            }
            else if (operand is OperandType.InlineSwitch)
            {
                var targets = il.ReadInt32();
                il.Offset += sizeof(int) * targets;
            }
            else
            {
                il.Offset += Size(operand);
            }
        }

        return tokens;
    }

    private static int Size(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineBrTarget or OperandType.InlineI or OperandType.InlineString
            or OperandType.ShortInlineR => 4,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => throw new BadImageFormatException($"Operand {operand} is not known here."),
    };
}
