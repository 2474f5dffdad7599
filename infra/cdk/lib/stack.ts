// The construct in a stack of its own, with what to register as outputs.

import { CfnOutput, Stack, StackProps } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

import { camel, Tocsin, TocsinProps } from './tocsin';

export interface TocsinStackProps extends StackProps, Omit<TocsinProps, 'key'> {
  /** A KMS key of your own, by its ARN. */
  readonly keyArn?: string;
}

export class TocsinStack extends Stack {
  readonly tocsin: Tocsin;

  constructor(scope: Construct, id: string, props: TocsinStackProps) {
    super(scope, id, props);
    const key = props.keyArn ? { key: kms.Key.fromKeyArn(this, 'Key', props.keyArn) } : {};
    this.tocsin = new Tocsin(this, 'Tocsin', { ...props, ...key });
    const { url } = this.tocsin.receiveUrl;
    for (const source of this.tocsin.sources) {
      const description = `Register this as webhook of the source ${source}`;
      new CfnOutput(this, `${camel(source)}Webhook`, { value: `${url}alerts/${source}`, description });
    }
    const description = 'Answers 200 when receive runs and has its part of the config';
    new CfnOutput(this, 'Health', { value: `${url}healthz`, description });
    new CfnOutput(this, 'TableName', {
      value: this.tocsin.table.tableName,
      description: 'The incidents; kept when the stack is deleted',
    });
    new CfnOutput(this, 'AlarmTopicArn', {
      value: this.tocsin.alarms.topic.topicArn,
      description: 'Subscribe more people here',
    });
  }
}
